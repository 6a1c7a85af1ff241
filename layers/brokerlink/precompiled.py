"""Code that the build has compiled, for cold starts.

Python compiles regular expressions, and the methods that it writes for dataclasses, each time they are imported. And
it looks for each module's bytecode in several folders and opens a file of its own for it, which a file for all of
them saves.
"""

# What is imported here is compiled as ever, so it is little.
import marshal
import os.path
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import MAGIC_NUMBER
from types import CodeType, ModuleType
from typing import Any, Final

# layers/dependencies/precompile.py writes it into its own layer, which lies in one folder with this one on AWS. In the
# source tree, and where layers lie apart, there is none, and all is compiled as ever.
FILE: Final = os.path.join(os.path.dirname(__file__), os.pardir, "precompiled")  # noqa: PTH118, PTH120 - see above

# Both are private to `re`, which offers nothing of the kind.
_sre: Any = import_module("_sre")
_compiler: Any = import_module("re._compiler")

# What the code was compiled for; the runtime may bring other engines some day.
ENGINES: Final = (MAGIC_NUMBER, _sre.MAGIC)


# Of a module: where its source lies below the file's folder, whether it is a package, and its code, marshalled.
type Bytecode = tuple[str, bool, bytes]


class Modules:
    """Finds modules in the file, and loads them (`importlib.abc.MetaPathFinder` and `Loader`)."""

    def __init__(self, folder: str, modules: Mapping[str, Bytecode]) -> None:
        self._folder = folder
        self._modules = modules

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Give what `import` needs; None for a module that is not in the file."""
        del path, target
        if name not in self._modules:
            return None
        source, is_package, _ = self._modules[name]
        # It lies there indeed: packages look for their data beside it.
        origin = f"{self._folder}/{source}"
        # A loader by what it does: the base class would bring half a dozen modules.
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [origin.rpartition("/")[0]]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to `import`."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code."""
        code = marshal.loads(self._modules[module.__name__][2])  # noqa: S302 - our own layer's
        exec(code, vars(module))  # noqa: S102 - what importing is


@contextmanager
def precompiled(file: str | os.PathLike[str] = FILE) -> Iterator[None]:
    """Take what is compiled or imported meanwhile from a file of the build's, as far as it has it."""
    patterns, sources, modules = _read(file)
    finder = Modules(os.path.abspath(os.path.dirname(file)), modules)  # noqa: PTH100, PTH120 - see above
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
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _compiler.compile = compile_pattern
        del dataclasses.exec


def _read(
    file: str | os.PathLike[str],
) -> tuple[dict[tuple[str | bytes, int], Any], dict[str, CodeType], dict[str, Bytecode]]:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - see above
            content = opened.read()
    except FileNotFoundError:
        return {}, {}, {}
    engines, patterns, sources, modules = marshal.loads(content)  # noqa: S302 - our own layer's
    return (patterns, sources, modules) if engines == ENGINES else ({}, {}, {})
