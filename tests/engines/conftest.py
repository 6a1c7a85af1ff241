"""An engine with nothing in it yet, and the tables in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from local import engines
from local.aws import Clients
from local.emulator import Emulator
from local.ports import listen
from tests.engines.tables import Tables


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin("tests.kit.stacks")


@pytest.fixture(scope="session")
def emulator(engine: str) -> Iterator[Emulator]:
    """The engine behind the emulator's guard, with nothing in it yet."""
    with engines.start(engine) as started, closing(Emulator(listen(0, "AWS_PORT"), started)) as running:
        yield running


@pytest.fixture(scope="session")
def clients(emulator: Emulator) -> Clients:
    return emulator.clients


@pytest.fixture
def tables(clients: Clients) -> Tables:
    """Both tables, empty."""
    return Tables.create(clients)
