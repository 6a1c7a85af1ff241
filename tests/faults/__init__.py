"""What becomes of a login when one of its calls goes wrong, or the process stops, at every place where either can."""
