"""The whole stack, deployed by the operator's own commands into an emulator that runs the deployed functions."""
