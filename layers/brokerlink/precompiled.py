"""Code that the build has compiled: Python compiles regular expressions, and the methods that it writes for
dataclasses, each time they are imported, and cold starts pay for it.
"""

from __future__ import annotations

import dataclasses
import marshal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any, Final

# layers/dependencies/precompile.py writes it; there is none in the source tree.
FILE: Final = Path(__file__).parents[1] / "precompiled"

# Both are private to `re`, which offers nothing of the kind.
_sre: Any = import_module("_sre")
_compiler: Any = import_module("re._compiler")

# What the code was compiled for; the runtime may bring other engines some day.
ENGINES: Final = (MAGIC_NUMBER, _sre.MAGIC)


@contextmanager
def precompiled(file: Path = FILE) -> Iterator[None]:
    """Take what is compiled meanwhile from a file of the build's, as far as it has it."""
    patterns, sources = _read(file)
    compile_pattern = _compiler.compile

    def take_pattern(pattern: str | bytes, flags: int) -> object:
        compiled = patterns.get((pattern, int(flags)))
        return compile_pattern(pattern, flags) if compiled is None else _sre.compile(pattern, *compiled)

    def take_source(source: str, namespace: dict[str, object], result: Mapping[str, object]) -> None:
        exec(sources.get(source, source), namespace, result)  # noqa: S102 - the standard library's own call

    _compiler.compile = take_pattern
    # It hides the builtin from the module.
    dataclasses.exec = take_source  # type: ignore[attr-defined]
    try:
        yield
    finally:
        _compiler.compile = compile_pattern
        del dataclasses.exec  # type: ignore[attr-defined]


def _read(file: Path) -> tuple[dict[tuple[str | bytes, int], Any], dict[str, CodeType]]:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return {}, {}
    engines, patterns, sources = marshal.loads(content)  # noqa: S302 - our own layer's
    return (patterns, sources) if engines == ENGINES else ({}, {})
