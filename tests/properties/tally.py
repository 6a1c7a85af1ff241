"""How many inputs were tried, and of what kind: counted where one is passed on to the code under test."""

from __future__ import annotations

from collections import Counter

TRIED: Counter[str] = Counter()


def tried(what: str, number: int = 1) -> None:
    """Count inputs."""
    TRIED[what] += number
