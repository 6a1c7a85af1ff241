"""While a function is loaded nothing is collected, and what is there then is exempt."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from brokerlink.cold_start import loading


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_while_loading() -> None:
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_a_failure_leaves_the_collector_on() -> None:
    with pytest.raises(ZeroDivisionError), loading():
        raise ZeroDivisionError
    assert gc.isenabled()
