"""The files in contracts/ against the code, against the running stack, and against what was released before."""
