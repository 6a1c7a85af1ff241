"""What tests of the routes begin with: the functions as they are set up by default, their operator, a login."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.operator import Operator
from tests.kit.situations import Login, begin_directly
from tests.kit.world import World, world


@pytest.fixture
def the_world() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.fixture
def operator(the_world: World, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(the_world, capsys)


@pytest.fixture
def login(the_world: World, operator: Operator) -> Login:
    begun = begin_directly(the_world)
    operator.look_away()
    return begun
