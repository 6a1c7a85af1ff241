"""The documentation's site, which MkDocs builds by mkdocs.yml."""
