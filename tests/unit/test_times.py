"""brokerlink.web.times: what an Indian reader is told, either side of midnight."""

from datetime import datetime

import pytest

from brokerlink.expiry import IST
from brokerlink.web.times import last_minute, next_minute, time_and_day, until


def at(moment: str) -> int:
    """Give the epoch second of an ISO 8601 time in IST."""
    return int(datetime.fromisoformat(moment).replace(tzinfo=IST).timestamp())


MORNING = at("2026-11-23T08:50:12")
MIDNIGHT = at("2026-11-24T00:00:00")


def test_an_epoch_second_is_told_in_india_whatever_the_process_thinks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    assert time_and_day(1_795_458_600) == "00:00 IST, Tue 24 Nov"
    assert time_and_day(1_795_458_599) == "23:59:59 IST, Mon 23 Nov"


@pytest.mark.parametrize(
    ("end", "now", "said", "in_full"),
    [
        (MIDNIGHT, MORNING, "midnight tonight", "00:00 IST, Tue 24 Nov 2026"),
        (MIDNIGHT, MIDNIGHT - 1, "midnight tonight", "00:00 IST, Tue 24 Nov 2026"),
        (MIDNIGHT, at("2026-11-23T00:00:00"), "midnight tonight", "00:00 IST, Tue 24 Nov 2026"),
        (MIDNIGHT, at("2026-11-22T23:59:59"), "00:00 IST", "Tue 24 Nov 2026"),
        (MIDNIGHT, MIDNIGHT, "00:00 IST today", "Tue 24 Nov 2026"),
        (MIDNIGHT - 1, MORNING, "23:59:59 IST today", "Mon 23 Nov 2026"),
        (MIDNIGHT - 1, MIDNIGHT - 1, "23:59:59 IST today", "Mon 23 Nov 2026"),
        (MIDNIGHT - 1, MIDNIGHT, "23:59:59 IST", "Mon 23 Nov 2026"),
        (MIDNIGHT - 60, MORNING, "23:59 IST today", "Mon 23 Nov 2026"),
        (MIDNIGHT + 1, MORNING, "00:00:01 IST tomorrow", "Tue 24 Nov 2026"),
        (at("2026-11-24T06:00:00"), MORNING, "06:00 IST tomorrow", "Tue 24 Nov 2026"),
        (at("2026-11-25T00:00:00"), MORNING, "00:00 IST", "Wed 25 Nov 2026"),
        (
            at("2027-01-01T00:00:00"),
            at("2026-12-31T23:00:00"),
            "midnight tonight",
            "00:00 IST, Fri 1 Jan 2027",
        ),
        (
            at("2028-02-29T00:00:00"),
            at("2028-02-28T09:00:00"),
            "midnight tonight",
            "00:00 IST, Tue 29 Feb 2028",
        ),
    ],
)
def test_until(end: int, now: int, said: str, in_full: str) -> None:
    assert until(end, now) == (said, in_full)


@pytest.mark.parametrize(
    ("moment", "following", "preceding"),
    [
        (at("2026-11-23T08:57:00"), "08:57 IST", "08:57 IST"),
        (at("2026-11-23T08:57:01"), "08:58 IST", "08:57 IST"),
        (at("2026-11-23T08:57:59"), "08:58 IST", "08:57 IST"),
        (at("2026-11-23T23:59:30"), "00:00 IST, Tue 24 Nov", "23:59 IST"),
        (at("2026-11-24T00:00:30"), "00:01 IST, Tue 24 Nov", "00:00 IST, Tue 24 Nov"),
        (at("2026-11-22T09:00:00"), "09:00 IST, Sun 22 Nov", "09:00 IST, Sun 22 Nov"),
    ],
)
def test_full_minutes(moment: int, following: str, preceding: str) -> None:
    assert next_minute(moment, MORNING) == following
    assert last_minute(moment, MORNING) == preceding
