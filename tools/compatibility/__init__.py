"""What breaks those who rely on a contract, between a released file and its successor: docs/compatibility.md's rule."""
