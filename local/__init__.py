"""The local stack: the whole product on one machine, built from template.yaml (`python -m local`)."""
