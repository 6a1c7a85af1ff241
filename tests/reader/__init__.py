"""The reader, as the programs that trade use it."""
