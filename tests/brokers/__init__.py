"""The brokers: one suite that each of them inherits."""
