"""Code that the build compiled is taken as it is, while a function is loaded and only then."""

from __future__ import annotations

import dataclasses
import marshal
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from brokerlink.precompiled import ENGINES, precompiled

_compiler: Any = import_module("re._compiler")
_parser: Any = import_module("re._parser")


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    re.purge()


def compiled(pattern: str) -> tuple[int, list[int], int, dict[str, int], tuple[None, ...]]:
    """A pattern without groups as the build writes it."""
    parsed = _parser.parse(pattern, 0)
    return (int(parsed.state.flags), [int(each) for each in _compiler._code(parsed, 0)], 0, {}, (None,))


def write(file: Path, *, engines: tuple[bytes, int] = ENGINES) -> None:
    # One stands for another, so that it shows which was taken.
    methods = {
        written(Cat): compile(written(Cat).replace("self.name=name", "self.name=name.upper()"), "<string>", "exec")
    }
    file.write_bytes(marshal.dumps((engines, {("cat", 0): compiled("dog")}, methods), 2))


def written(cls: type) -> str:
    """Give the source that is written for a dataclass."""
    sources: list[str] = []

    def note(source: str, namespace: dict[str, Any], result: dict[str, Any]) -> None:
        sources.append(source)
        exec(source, namespace, result)  # noqa: S102 - the standard library's own call

    with mock.patch.object(dataclasses, "exec", note, create=True):
        dataclass(eq=False)(cls)
    (source,) = sources
    return source


class Cat:
    """The build shouts its name."""

    name: str


def test_a_known_pattern_is_taken(tmp_path: Path) -> None:
    write(tmp_path / "precompiled")
    with precompiled(tmp_path / "precompiled"):
        taken = re.compile("cat")
    assert taken.pattern == "cat"
    assert taken.fullmatch("dog")


def test_others_are_compiled(tmp_path: Path) -> None:
    write(tmp_path / "precompiled")
    with precompiled(tmp_path / "precompiled"):
        assert re.compile("bird").fullmatch("bird")
        assert re.compile("cat", re.IGNORECASE).fullmatch("CAT")
        assert re.compile(b"cat").fullmatch(b"cat")


def test_afterwards_all_are_compiled(tmp_path: Path) -> None:
    write(tmp_path / "precompiled")
    with pytest.raises(ZeroDivisionError), precompiled(tmp_path / "precompiled"):
        raise ZeroDivisionError
    assert re.compile("cat").fullmatch("cat")
    assert not hasattr(dataclasses, "exec")


def test_known_methods_are_taken(tmp_path: Path) -> None:
    write(tmp_path / "precompiled")
    with precompiled(tmp_path / "precompiled"):
        taken: Any = dataclass(eq=False)(type("Cat", (), {"__annotations__": {"name": "str"}}))
        other: Any = dataclass(eq=False)(type("Cow", (), {"__annotations__": {"moo": "str"}}))
    assert vars(taken("Tom")) == {"name": "TOM"}
    assert vars(other("moo")) == {"moo": "moo"}


@pytest.mark.parametrize("engines", [(ENGINES[0], ENGINES[1] + 1), (b"another", ENGINES[1])])
def test_code_for_another_engine_is_left_alone(tmp_path: Path, engines: tuple[bytes, int]) -> None:
    write(tmp_path / "precompiled", engines=engines)
    with precompiled(tmp_path / "precompiled"):
        assert re.compile("cat").fullmatch("cat")
        made: Any = dataclass(eq=False)(type("Cat", (), {"__annotations__": {"name": "str"}}))
    assert vars(made("Tom")) == {"name": "Tom"}


def test_without_a_build_all_are_compiled(tmp_path: Path) -> None:
    with precompiled(tmp_path / "precompiled"):
        assert re.compile("cat").fullmatch("cat")
