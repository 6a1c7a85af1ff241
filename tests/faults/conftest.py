"""The brokers run once for all of the suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.brokers import FaultyBrokers, faulty_brokers


@pytest.fixture(scope="session")
def brokers() -> Iterator[FaultyBrokers]:
    with faulty_brokers() as running:
        yield running
