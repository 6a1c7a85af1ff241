"""The engines: moto and ministack, or the one that the variable BROKERLINK_ENGINE names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from local import engines
from local.aws import Clients
from local.emulator import Emulator
from local.ports import listen
from local.stack import Stack
from tests.engines.tables import Tables
from tests.integration.walker import Walker
from tests.privileges.watch import watched_stack

CHOSEN = os.environ.get("BROKERLINK_ENGINE", "")
ALL = (CHOSEN,) if CHOSEN else ("moto", "ministack")
# On moto the logins are in tests/integration already.
WHOLE = (CHOSEN,) if CHOSEN else ("ministack",)


@pytest.fixture(scope="session", params=ALL)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine's name."""
    return str(request.param)


@pytest.fixture(scope="session")
def emulator(engine: str) -> Iterator[Emulator]:
    """The engine behind the emulator's guard, with nothing in it yet."""
    with engines.start(engine) as started, closing(Emulator(listen(0, "AWS_PORT"), started)) as running:
        yield running


@pytest.fixture(scope="session")
def clients(emulator: Emulator) -> Clients:
    return emulator.clients


@pytest.fixture
def tables(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Tables:
    """Both tables, empty, reached as a function reaches them: with the library's own clients, by AWS_ENDPOINT_URL."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    return Tables.create(emulator.clients)


@pytest.fixture(scope="session", params=WHOLE)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole local stack on an engine of its own."""
    folder: Path = tmp_path_factory.mktemp("stack")
    with (
        engines.start(request.param) as started,
        watched_stack(started, brokers_file=folder / "brokers.local.toml", logs=folder / "logs") as running,
    ):
        yield running


@pytest.fixture
def walker(stack: Stack) -> Walker:
    return Walker(stack)
