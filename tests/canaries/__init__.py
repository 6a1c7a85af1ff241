"""Unique values for everything secret, pushed through every path: none of them is ever seen where it must not be."""
