"""Times as an Indian reader says them. All take epoch seconds and speak IST, wherever the code runs."""

from __future__ import annotations

from datetime import UTC, datetime, time

from brokerlink.expiry import IST

# strftime's names follow the process's locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def time_and_day(moment: int) -> str:
    """Give `00:00 IST, Tue 24 Nov`."""
    there = _in_india(moment)
    return f"{_time(there)}, {_day(there)}"


def until(moment: int, now: int) -> tuple[str, str]:
    """Give an end as said at `now`, and in full: `midnight tonight`, `00:00 IST, Tue 24 Nov 2026`.

    An end today or tomorrow that is no midnight is `23:59:59 IST today`, `Mon 23 Nov 2026`; one on any other
    day is `00:00 IST`, `Wed 25 Nov 2026`.
    """
    there = _in_india(moment)
    day = f"{_day(there)} {there.year}"
    days_ahead = (there.date() - _in_india(now).date()).days
    if days_ahead == 1 and there.time() == time.min:
        return "midnight tonight", f"{_time(there)}, {day}"
    return _time(there) + {0: " today", 1: " tomorrow"}.get(days_ahead, ""), day


def next_minute(moment: int, now: int) -> str:
    """Give the first full minute not before `moment`: `08:58 IST`, with its day where that is not today."""
    return _minute(moment + -moment % 60, now)


def last_minute(moment: int, now: int) -> str:
    """Give the last full minute not after `moment`, in the form of `next_minute`."""
    return _minute(moment - moment % 60, now)


def _minute(moment: int, now: int) -> str:
    there = _in_india(moment)
    return _time(there) if there.date() == _in_india(now).date() else time_and_day(moment)


def _in_india(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(IST)


def _time(there: datetime) -> str:
    return f"{there:%H:%M:%S}".removesuffix(":00") + " IST"


def _day(there: datetime) -> str:
    return f"{_DAYS[there.weekday()]} {there.day} {_MONTHS[there.month - 1]}"
