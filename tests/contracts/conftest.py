"""One local stack for all that asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.privileges.watch import watched_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with watched_stack(brokers_file=folder / "brokers.local.toml", logs=folder / "logs") as running:
        yield running
