"""The whole product over HTTP, on the local stack."""
