"""Mutation testing of the core: `make mutants`. docs/mutation.md says how it works and what it found."""
