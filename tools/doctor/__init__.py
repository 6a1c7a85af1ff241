"""`make doctor`: checks what can be checked before customers come, a line each, with what to do about it."""
