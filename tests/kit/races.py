"""A world in which somebody else is quicker by one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto import mock_aws

from tests.kit.world import World


class Race(World):
    """A world whose `rivals`, by the name of an AWS operation, act just before the functions' next call of it."""

    def __init__(self) -> None:
        self.rivals: dict[str, Callable[[], object]] = {}
        super().__init__()

    def called(self, operation: str, parameters: Mapping[str, Any]) -> None:
        super().called(operation, parameters)
        if operation in self.rivals:
            self.rivals.pop(operation)()


@contextmanager
def race() -> Iterator[Race]:
    """Give such a world on a fresh moto."""
    with mock_aws():
        yield Race()
