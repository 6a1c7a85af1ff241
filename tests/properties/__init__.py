"""What holds for every sequence of events and every input: a state machine against a model, and fuzzing."""
