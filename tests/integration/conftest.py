"""One local stack for all of them, and browsers that walk over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.integration.walker import Walker
from tests.privileges.watch import watched_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("stack")
    with watched_stack(brokers_file=folder / "brokers.local.toml", logs=folder / "logs") as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults_left(stack: Stack) -> Iterator[None]:
    yield
    walker = Walker(stack)
    for broker, endpoints in {
        "pocketful": ("authorize", "token", "identity"),
        "fivepaisa": ("authorize", "token"),
    }.items():
        for endpoint in endpoints:
            walker.fault(broker, endpoint, "hang", times=0)


@pytest.fixture
def walker(stack: Stack) -> Walker:
    return Walker(stack)
