"""Our `dataclass` behaves as the standard one does; each test runs on both."""

from __future__ import annotations

import copy
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from brokerlink import values

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[values.dataclass, dataclasses.dataclass], ids=["ours", "standard"])
def dataclass(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def point(dataclass: Any) -> Any:
    @dataclass(frozen=True, slots=True)
    class Point:
        """A point."""

        x: int
        y: int = 2
        secret: str = dataclasses.field(default="s3cret", repr=False)
        tags: list[str] = dataclasses.field(default_factory=list)

        @property
        def double(self) -> int:
            return 2 * self.x

    return Point


def test_values_come_by_position_by_name_and_by_default(point: Any) -> None:
    made = point(1, tags=["a"])
    assert (made.x, made.y, made.secret, made.tags, made.double) == (1, 2, "s3cret", ["a"], 2)
    assert point(1).tags is not point(1).tags
    assert point(y=4, x=3).x == 3


@pytest.mark.parametrize(
    ("given", "named"), [((), {}), ((1, 2, "", [], 5), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((), {"y": 1})]
)
def test_wrong_values_are_refused(point: Any, given: tuple[object, ...], named: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        point(*given, **named)


def test_repr_names_what_may_be_shown(point: Any) -> None:
    assert repr(point(1)).endswith("Point(x=1, y=2, tags=[])")


def test_equal_are_those_of_one_class_with_equal_values(point: Any, dataclass: Any) -> None:
    @dataclass(frozen=True, slots=True)
    class Other:
        """Of the same shape."""

        x: int
        y: int = 2

    assert point(1) == point(1)
    assert point(1) != point(2)
    assert point(1) != point(1, secret="another")
    assert Other(1) != point(1)
    assert point(1) != (1, 2, "s3cret", [])
    assert hash(Other(1)) == hash(Other(1))
    assert len({Other(1), Other(1), Other(2)}) == 2


def test_frozen_stays_as_it_is(point: Any) -> None:
    made = point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        made.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del made.x
    assert made.x == 1
    assert not hasattr(made, "__dict__")


def test_not_frozen_can_change_and_is_no_key(dataclass: Any) -> None:
    @dataclass(slots=True)
    class Count:
        """A number."""

        number: int = 0

    made = Count()
    made.number += 1
    assert made == Count(1)
    with pytest.raises(TypeError):
        hash(made)


def test_names_only(dataclass: Any) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        """Optional before required."""

        x: int = 1
        y: int  # type: ignore[misc]  # the parameter hides from mypy that it is `kw_only`

    assert Named(y=2) == Named(x=1, y=2)
    with pytest.raises(TypeError):
        Named(1, 2)


def test_own_methods_win(dataclass: Any) -> None:
    @dataclass(frozen=True, slots=True)
    class Hidden:
        """Says nothing."""

        value: str

        def __repr__(self) -> str:
            return "Hidden(…)"

    assert repr(Hidden("a")) == "Hidden(…)"
    assert str(Hidden("a")) == "Hidden(…)"


def test_the_standard_functions_know_it(point: Any) -> None:
    made = point(1)
    assert [field.name for field in dataclasses.fields(made)] == ["x", "y", "secret", "tags"]
    assert dataclasses.replace(made, y=5) == point(1, 5)
    assert copy.replace(made, y=5) == point(1, 5)
    with pytest.raises(TypeError):
        dataclasses.replace(made, z=5)
    match made:
        case point(x, 2):
            assert x == 1
        case _:
            pytest.fail("no match")


def test_copies_are_equal(point: Any) -> None:
    made = point(1, tags=["a"])
    assert copy.copy(made) == made
    assert copy.deepcopy(made) == made
    assert copy.deepcopy(made).tags is not made.tags


def test_every_class_of_the_functions_is_made_with_it() -> None:
    files = [*ROOT.glob("layers/brokerlink/**/*.py"), *ROOT.glob("functions/**/*.py")]
    assert len(files) > 50
    standard = re.compile(r"^\s*from dataclasses import .*\bdataclass\b|dataclasses\.dataclass\b", re.MULTILINE)
    assert [file.name for file in files if standard.search(file.read_text(encoding="utf-8"))] == ["values.py"]
