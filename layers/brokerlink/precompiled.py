"""Code that the build has compiled: Python compiles regular expressions, and the methods that it writes for
dataclasses, each time they are imported, and cold starts pay for it.
"""

# What is imported here is compiled as ever, so it is little.
import marshal
import os.path
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import MAGIC_NUMBER
from types import CodeType
from typing import Any, Final

# layers/dependencies/precompile.py writes it into its own layer, which lies in one folder with this one on AWS. In the
# source tree, and where layers lie apart, there is none, and all is compiled as ever.
FILE: Final = os.path.join(os.path.dirname(__file__), os.pardir, "precompiled")  # noqa: PTH118, PTH120 - see above

# Both are private to `re`, which offers nothing of the kind.
_sre: Any = import_module("_sre")
_compiler: Any = import_module("re._compiler")

# What the code was compiled for; the runtime may bring other engines some day.
ENGINES: Final = (MAGIC_NUMBER, _sre.MAGIC)


@contextmanager
def precompiled(file: str | os.PathLike[str] = FILE) -> Iterator[None]:
    """Take what is compiled meanwhile from a file of the build's, as far as it has it."""
    patterns, sources = _read(file)
    compile_pattern = _compiler.compile

    def take_pattern(pattern: str | bytes, flags: int) -> object:
        compiled = patterns.get((pattern, int(flags)))
        return compile_pattern(pattern, flags) if compiled is None else _sre.compile(pattern, *compiled)

    def take_source(source: str, namespace: dict[str, object], result: Mapping[str, object]) -> None:
        exec(sources.get(source, source), namespace, result)  # noqa: S102 - the standard library's own call

    _compiler.compile = take_pattern
    dataclasses: Any = import_module("dataclasses")
    # It hides the builtin from the module.
    dataclasses.exec = take_source
    try:
        yield
    finally:
        _compiler.compile = compile_pattern
        del dataclasses.exec


def _read(file: str | os.PathLike[str]) -> tuple[dict[tuple[str | bytes, int], Any], dict[str, CodeType]]:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - see above
            content = opened.read()
    except FileNotFoundError:
        return {}, {}
    engines, patterns, sources = marshal.loads(content)  # noqa: S302 - our own layer's
    return (patterns, sources) if engines == ENGINES else ({}, {})
