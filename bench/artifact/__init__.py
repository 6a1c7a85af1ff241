"""`make bench`: what a customer waits for, measured on the built artifact."""
