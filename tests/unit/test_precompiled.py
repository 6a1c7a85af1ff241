"""Code that the build compiled is taken as it is, while a function is loaded and only then."""

from __future__ import annotations

import dataclasses
import marshal
import re
import sys
from collections.abc import Iterator
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
    file.write_bytes(marshal.dumps((engines, {("cat", 0): compiled("dog")}, methods, MODULES), 2))


# Two modules of a package that is nowhere but here.
MODULES = {
    "zoo": ("zoo/__init__.py", True, marshal.dumps(compile("open = True", "zoo", "exec"))),
    "zoo.cats": ("zoo/cats.py", False, marshal.dumps(compile("import zoo\nseen = zoo.open", "cats", "exec"))),
}


@pytest.fixture(autouse=True)
def no_zoo() -> Iterator[None]:
    yield
    for name in MODULES:
        sys.modules.pop(name, None)


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


def test_a_known_module_is_loaded(tmp_path: Path) -> None:
    write(tmp_path / "precompiled")
    with precompiled(tmp_path / "precompiled"):
        cats = import_module("zoo.cats")
    zoo = sys.modules["zoo"]
    assert (cats.seen, zoo.cats, zoo.__path__) == (True, cats, [str(tmp_path / "zoo")])
    # What looks for data beside its source finds it.
    assert (cats.__file__, cats.__package__) == (str(tmp_path / "zoo" / "cats.py"), "zoo")
    assert zoo.__file__ == str(tmp_path / "zoo" / "__init__.py")


def test_other_modules_of_a_known_package_are_found_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "precompiled")
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "dogs.py").write_text("barking = True", encoding="utf-8")
    with precompiled(tmp_path / "precompiled"):
        assert import_module("zoo.dogs").barking
    del sys.modules["zoo.dogs"]


def test_afterwards_and_without_a_build_there_is_none(tmp_path: Path) -> None:
    write(tmp_path / "precompiled")
    finders = list(sys.meta_path)
    with precompiled(tmp_path / "precompiled"):
        assert len(sys.meta_path) == len(finders) + 1
    assert sys.meta_path == finders
    with pytest.raises(ModuleNotFoundError), precompiled(tmp_path / "none"):
        import_module("zoo")
    write(tmp_path / "precompiled", engines=(b"another", ENGINES[1]))
    with pytest.raises(ModuleNotFoundError), precompiled(tmp_path / "precompiled"):
        import_module("zoo")
