"""Patterns that the build compiled are taken as they are, while a function is loaded and only then."""

from __future__ import annotations

import marshal
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from brokerlink.precompiled import precompiled_patterns

_sre: Any = import_module("_sre")
_compiler: Any = import_module("re._compiler")
_parser: Any = import_module("re._parser")


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    re.purge()


def compiled(pattern: str) -> tuple[int, list[int], int, dict[str, int], tuple[None, ...]]:
    """A pattern without groups as the build writes it."""
    parsed = _parser.parse(pattern, 0)
    return (int(parsed.state.flags), [int(each) for each in _compiler._code(parsed, 0)], 0, {}, (None,))


def write(file: Path, *, magic: int) -> None:
    # One pattern stands for another, so that it shows which was taken.
    file.write_bytes(marshal.dumps((magic, {("cat", 0): compiled("dog")})))


def test_a_known_pattern_is_taken(tmp_path: Path) -> None:
    write(tmp_path / "patterns", magic=_sre.MAGIC)
    with precompiled_patterns(tmp_path / "patterns"):
        taken = re.compile("cat")
    assert taken.pattern == "cat"
    assert taken.fullmatch("dog")


def test_others_are_compiled(tmp_path: Path) -> None:
    write(tmp_path / "patterns", magic=_sre.MAGIC)
    with precompiled_patterns(tmp_path / "patterns"):
        assert re.compile("bird").fullmatch("bird")
        assert re.compile("cat", re.IGNORECASE).fullmatch("CAT")
        assert re.compile(b"cat").fullmatch(b"cat")


def test_afterwards_all_are_compiled(tmp_path: Path) -> None:
    write(tmp_path / "patterns", magic=_sre.MAGIC)
    with pytest.raises(ZeroDivisionError), precompiled_patterns(tmp_path / "patterns"):
        raise ZeroDivisionError
    assert re.compile("cat").fullmatch("cat")


def test_code_for_another_engine_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "patterns", magic=_sre.MAGIC + 1)
    with precompiled_patterns(tmp_path / "patterns"):
        assert re.compile("cat").fullmatch("cat")


def test_without_a_build_all_are_compiled(tmp_path: Path) -> None:
    with precompiled_patterns(tmp_path / "patterns"):
        assert re.compile("cat").fullmatch("cat")
