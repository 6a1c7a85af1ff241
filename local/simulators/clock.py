"""The simulators' time: an injected clock, and the Indian day that ends every broker's tokens."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone

type Clock = Callable[[], float]
"""Gives the current time in epoch seconds; `time.time` is one."""

IST = timezone(timedelta(hours=5, minutes=30), "IST")


def next_midnight(now: float) -> int:
    """The first 00:00 IST strictly after `now`; both in epoch seconds."""
    today = datetime.fromtimestamp(now, UTC).astimezone(IST).date()
    return int(datetime.combine(today + timedelta(days=1), time(), IST).timestamp())
