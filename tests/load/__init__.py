"""The load: what it sends on its way, and that it sees what it is there to see."""
