"""Brokers and moto run once for all of the suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.brokers import FaultyBrokers, faulty_brokers
from tests.kit.emulated import emulated_aws


@pytest.fixture(scope="package")
def brokers() -> Iterator[FaultyBrokers]:
    with emulated_aws(), faulty_brokers() as running:
        yield running
