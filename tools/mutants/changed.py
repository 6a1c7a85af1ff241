"""Puts a mutant in a module's place, in this process and in memory: no file is touched."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Sequence
from types import CodeType, FunctionType, ModuleType

from tools.mutants.targets import Target


def exchange_code(target: Target, function: str, source: str) -> bool:
    """Give a function of the imported module the code that it has in `source`; whoever imported it meets that.

    Gives False where that cannot be done, so that only importing the source shows what it does.
    """
    found = _function(sys.modules[target.module], function)
    codes = [code for code in _codes(compile(source, str(target.path), "exec")) if code.co_qualname == function]
    if found is None or len(codes) != 1 or codes[0].co_freevars != found.__code__.co_freevars:
        return False
    found.__code__ = codes[0]
    return True


def _function(module: ModuleType, name: str) -> FunctionType | None:
    found: object = module
    for part in name.split("."):
        found = vars(found).get(part)
    match found:
        case property(fget=getter):
            found = getter
        case classmethod() | staticmethod():
            found = found.__func__
    found = inspect.unwrap(found) if callable(found) else None
    return found if isinstance(found, FunctionType) else None


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


class ChangedModule(importlib.abc.MetaPathFinder):
    """Has `source` imported wherever the target's module is asked for."""

    def __init__(self, target: Target, source: str) -> None:
        self.target = target
        self.source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Give the spec of the one module that is changed."""
        del path, target  # it is the same module wherever it is looked for
        if fullname != self.target.module:
            return None
        loader = _Loader(fullname, str(self.target.path))
        loader.source = self.source
        return importlib.util.spec_from_file_location(fullname, self.target.path, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    source = ""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed source; nothing is read from or written to a cache."""
        del fullname
        return compile(self.source, self.path, "exec")
