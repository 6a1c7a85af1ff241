"""When tokens end: the broker's day is an Indian one, whatever the machine thinks of time."""

import os
import time as machine_time
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerlink.expiry import IST, DailyExpiry, Expiry, RollingExpiry, token_expiry
from tests.kit.imports import imported_with

MIDNIGHT = DailyExpiry(time(0, 0))
EARLY = DailyExpiry(time(3, 30))
MORNING = DailyExpiry(time(6, 0))
LATE = DailyExpiry(time(23, 59))
TEN_YEARS = st.integers(
    int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2035, 1, 1, tzinfo=UTC).timestamp())
)


def ist(text: str) -> int:
    """Give the epoch second of a wall clock in India, read through the time-zone data that the product does without."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Kolkata")).timestamp())


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("expiry", "issued", "ends"),
    [
        pytest.param(MIDNIGHT, ist("2026-11-23 23:59:58"), ist("2026-11-24 00:00:00"), id="two seconds before"),
        pytest.param(MIDNIGHT, ist("2026-11-23 23:59:59"), ist("2026-11-24 00:00:00"), id="one second before"),
        pytest.param(MIDNIGHT, ist("2026-11-24 00:00:00"), ist("2026-11-25 00:00:00"), id="midnight itself"),
        pytest.param(MIDNIGHT, ist("2026-11-24 00:00:01"), ist("2026-11-25 00:00:00"), id="one second after"),
        pytest.param(MIDNIGHT, utc("2026-11-23 18:29:59"), ist("2026-11-24 00:00:00"), id="UTC evening, still today"),
        pytest.param(MIDNIGHT, utc("2026-11-23 18:30:00"), ist("2026-11-25 00:00:00"), id="UTC evening, tomorrow"),
        pytest.param(MIDNIGHT, utc("2026-11-23 23:59:59"), ist("2026-11-25 00:00:00"), id="UTC midnight means nothing"),
        pytest.param(MIDNIGHT, ist("2028-02-28 09:15:00"), ist("2028-02-29 00:00:00"), id="into the leap day"),
        pytest.param(MIDNIGHT, ist("2028-02-29 09:15:00"), ist("2028-03-01 00:00:00"), id="out of the leap day"),
        pytest.param(MIDNIGHT, ist("2027-02-28 09:15:00"), ist("2027-03-01 00:00:00"), id="no leap day"),
        pytest.param(MIDNIGHT, ist("2026-12-31 23:59:59"), ist("2027-01-01 00:00:00"), id="the year's last second"),
        pytest.param(MIDNIGHT, utc("2026-12-31 18:30:00"), ist("2027-01-02 00:00:00"), id="the new year in India"),
        pytest.param(MIDNIGHT, ist("2026-03-29 01:30:00"), ist("2026-03-30 00:00:00"), id="Europe's clocks change"),
        pytest.param(EARLY, ist("2026-11-24 03:29:59"), ist("2026-11-24 03:30:00"), id="03:30, just before"),
        pytest.param(EARLY, ist("2026-11-24 03:30:00"), ist("2026-11-25 03:30:00"), id="03:30 itself"),
        pytest.param(EARLY, ist("2026-11-24 00:00:00"), ist("2026-11-24 03:30:00"), id="03:30, from midnight"),
        pytest.param(MORNING, ist("2026-11-24 05:59:59"), ist("2026-11-24 06:00:00"), id="06:00, just before"),
        pytest.param(MORNING, ist("2026-11-24 06:00:00"), ist("2026-11-25 06:00:00"), id="06:00 itself"),
        pytest.param(MORNING, utc("2026-11-24 00:29:59"), ist("2026-11-24 06:00:00"), id="06:00, in UTC's first hour"),
        pytest.param(LATE, ist("2026-11-24 23:59:30"), ist("2026-11-25 23:59:00"), id="23:59, in the last minute"),
        pytest.param(
            RollingExpiry(24), ist("2026-11-24 23:59:59"), ist("2026-11-25 23:59:59"), id="24 hours, through midnight"
        ),
        pytest.param(RollingExpiry(8), ist("2026-11-24 09:00:00"), ist("2026-11-24 17:00:00"), id="8 hours"),
    ],
)
def test_end_of_the_brokers_day(expiry: Expiry, issued: int, ends: int) -> None:
    assert expiry.end(issued) == ends


@given(issued=TEN_YEARS, at=st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_a_daily_end_is_the_next_such_time_in_india_strictly_after_the_issue(issued: int, at: time) -> None:
    end = DailyExpiry(at).end(issued)
    assert issued < end <= issued + 24 * 3600
    assert datetime.fromtimestamp(end, ZoneInfo("Asia/Kolkata")).time() == at


@given(moment=TEN_YEARS)
def test_the_constant_offset_is_what_the_time_zone_data_say(moment: int) -> None:
    here = datetime.fromtimestamp(moment, IST)
    assert here.utcoffset() == datetime.fromtimestamp(moment, ZoneInfo("Asia/Kolkata")).utcoffset()


@given(issued=TEN_YEARS, lifetime=st.none() | st.integers(1, 10**10), claimed=st.none() | st.integers(0, 10**11))
def test_a_token_ends_with_the_first_of_its_limits(issued: int, lifetime: int | None, claimed: int | None) -> None:
    end = token_expiry(MIDNIGHT, issued, lifetime=lifetime, claimed=claimed)
    limits = {MIDNIGHT.end(issued)}
    limits |= {issued + lifetime} if lifetime is not None else set()
    limits |= {claimed} if claimed is not None else set()
    assert end in limits
    assert all(end <= limit for limit in limits)


ISSUED = ist("2026-11-24 20:00:00")
DAY_END = ist("2026-11-25 00:00:00")


@pytest.mark.parametrize(
    ("lifetime", "claimed", "ends"),
    [
        pytest.param(None, None, DAY_END, id="the day's end alone"),
        pytest.param(86399, None, DAY_END, id="expires_in of 24 h: midnight comes first"),
        pytest.param(3600, None, ISSUED + 3600, id="expires_in before midnight"),
        pytest.param(4 * 3600, None, DAY_END, id="expires_in that meets midnight"),
        pytest.param(4 * 3600 - 1, None, DAY_END - 1, id="expires_in a second short of midnight"),
        pytest.param(None, DAY_END - 1, DAY_END - 1, id="exp of 23:59:59"),
        pytest.param(None, DAY_END + 1, DAY_END, id="exp past midnight is not believed"),
        pytest.param(60, ISSUED + 30, ISSUED + 30, id="exp before expires_in"),
        pytest.param(30, ISSUED + 60, ISSUED + 30, id="expires_in before exp"),
        pytest.param(10**10, 10**11, DAY_END, id="absurd claims"),
        pytest.param(None, ISSUED - 1, ISSUED - 1, id="a token that had ended when it was issued"),
    ],
)
def test_a_token_never_outlives_the_day_expires_in_or_its_own_exp(
    lifetime: int | None, claimed: int | None, ends: int
) -> None:
    assert token_expiry(MIDNIGHT, ISSUED, lifetime=lifetime, claimed=claimed) == ends


@pytest.fixture(params=["America/New_York", "Pacific/Kiritimati", "Asia/Kolkata", "XYZ+11:17", "/nowhere"])
def odd_time_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    machine_time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    machine_time.tzset()


@pytest.mark.usefixtures("odd_time_zone")
@pytest.mark.parametrize("hours", range(0, 48, 5))
def test_the_machines_time_zone_changes_nothing(hours: int) -> None:
    issued = ist("2026-11-24 00:00:00") + hours * 3600
    day = timedelta(days=1 + hours // 24)
    assert MIDNIGHT.end(issued) == int((datetime(2026, 11, 24, tzinfo=IST) + day).timestamp())


def test_no_time_zone_data_are_needed() -> None:
    assert "zoneinfo" not in imported_with("import brokerlink.expiry")
