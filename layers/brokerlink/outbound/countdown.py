"""How long something may still take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Countdown:
    """The time until `until`, on the clock `monotonic` (both in seconds)."""

    monotonic: Callable[[], float]
    until: float

    def at_most(self, seconds: float) -> Self:
        """Give the same, but ending `seconds` from now at the latest."""
        return type(self)(self.monotonic, min(self.until, self.monotonic() + seconds))

    def left(self) -> float:
        """Give the seconds left, which is more than zero, as a socket wants it; raises TimeoutError."""
        seconds = self.until - self.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds
