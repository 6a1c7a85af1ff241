"""Fixtures: the whole local stack on each engine, once for all the tests that walk it over HTTP.

A conftest loads this module as a plugin where it is needed: whoever runs other tests does not import an emulator.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import engines
from local.stack import Stack
from tests.integration.walker import Walker
from tests.privileges.watch import watched_stack

# `make engine ENGINE=…` names one; otherwise each test runs on both that need nothing but this project's requirements.
CHOSEN = os.environ.get("BROKERLINK_ENGINE")
CAN_FAIL = {"pocketful": ("authorize", "token", "identity"), "fivepaisa": ("authorize", "token")}


@pytest.fixture(scope="session", params=[CHOSEN] if CHOSEN else ["moto", "ministack"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine's name."""
    return str(request.param)


@pytest.fixture(scope="session")
def running_stack(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("stack")
    with (
        engines.start(engine) as started,
        watched_stack(started, brokers_file=folder / "brokers.local.toml", logs=folder / "logs") as running,
    ):
        yield running


@pytest.fixture
def stack(running_stack: Stack) -> Iterator[Stack]:
    """The stack, with brokers that do as they should: what a test told them to do wrong ends with it."""
    yield running_stack
    for broker, endpoints in CAN_FAIL.items():
        for endpoint in endpoints:
            running_stack.simulators.faults.clear(broker, endpoint)


@pytest.fixture
def walker(stack: Stack) -> Walker:
    """A browser that has been nowhere yet."""
    return Walker(stack)
