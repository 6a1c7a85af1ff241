"""Regular expressions that the build has compiled: `re` compiles in Python, and cold starts pay for it."""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

# layers/dependencies/patterns.py writes it; there is none in the source tree.
FILE: Final = Path(__file__).parents[1] / "patterns"

# Both are private to `re`, which offers nothing of the kind.
_sre: Any = import_module("_sre")
_compiler: Any = import_module("re._compiler")


@contextmanager
def precompiled_patterns(file: Path = FILE) -> Iterator[None]:
    """Take the patterns that are compiled meanwhile from a file of the build's, as far as it has them."""
    compile_pattern, table = _compiler.compile, _read(file)

    def take_or_compile(pattern: str | bytes, flags: int) -> object:
        compiled = table.get((pattern, int(flags)))
        return compile_pattern(pattern, flags) if compiled is None else _sre.compile(pattern, *compiled)

    _compiler.compile = take_or_compile
    try:
        yield
    finally:
        _compiler.compile = compile_pattern


def _read(file: Path) -> dict[tuple[str | bytes, int], Any]:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return {}
    written_for, table = marshal.loads(content)  # noqa: S302 - our own layer's
    # The code is for one version of the engine; the runtime may bring another some day.
    return table if written_for == _sre.MAGIC else {}
