"""When a broker's token ends. Every time is in epoch seconds, and every day is an Indian one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from typing import Final, Protocol

# India has kept one offset since 1945 and has no summer time, so no time-zone data is needed.
IST: Final = timezone(timedelta(hours=5, minutes=30))


class Expiry(Protocol):
    """When tokens issued at a given moment end by the broker's own rule."""

    def end(self, issued_at: int) -> int:
        """Take the epoch second of issue; give the epoch second from which the token is dead."""


@dataclass(frozen=True, slots=True)
class DailyExpiry:
    """The broker ends every token at one time of day, IST: SEBI requires a fresh login each trading day."""

    at: time

    def end(self, issued_at: int) -> int:
        """Give the next `at` strictly after `issued_at`: a token issued at midnight lives a whole day."""
        issued = datetime.fromtimestamp(issued_at, IST)
        end = datetime.combine(issued.date(), self.at, IST)
        if end <= issued:
            end += timedelta(days=1)
        return int(end.timestamp())


@dataclass(frozen=True, slots=True)
class RollingExpiry:
    """The broker ends every token a fixed time after its issue."""

    hours: int

    def end(self, issued_at: int) -> int:
        """Give `issued_at` plus the fixed time."""
        return issued_at + self.hours * 3600


def token_expiry(expiry: Expiry, issued_at: int, *, lifetime: int | None, claimed: int | None) -> int:
    """Give the epoch second from which a token is dead: the earliest of all that limits it.

    `issued_at` is taken before the exchange is sent, so that the answer is never too late. `lifetime` is the
    token response's `expires_in` in seconds (RFC 6749 §5.1), `claimed` the token's own `exp` (RFC 7519 §4.1.4).
    """
    limits: Iterable[int | None] = (
        expiry.end(issued_at),
        None if lifetime is None else issued_at + lifetime,
        claimed,
    )
    return min(limit for limit in limits if limit is not None)
