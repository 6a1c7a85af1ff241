"""`dataclass` without the wait: the standard one writes and compiles the source of each class's methods at import.

For the fifty classes that a function imports, that was a seventh of its cold start. Here all classes share methods that
look their fields up. Type checkers, `fields`, `replace` and `match` see the standard dataclass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass[T](
        *, frozen: bool = False, slots: bool = False, kw_only: bool = False
    ) -> Callable[[type[T]], type[T]]:
        """Make a class a dataclass. The parameters are the standard ones."""

        def make(cls: type[T]) -> type[T]:
            plain = dataclasses.dataclass(cls, init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
            shared = {"__init__": _init, "__repr__": _repr, "__eq__": _eq}
            if frozen:
                shared |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
                shared |= {"__getstate__": _values, "__setstate__": _restore}
            for name, method in shared.items():
                if name not in vars(cls):
                    setattr(plain, name, method)
            plain.__hash__ = _hash if frozen else None
            plain.__members__ = dataclasses.fields(plain)
            return plain

        return make


__all__ = ["dataclass"]


class _Made(Protocol):
    """What `dataclass` makes of a class."""

    __match_args__: tuple[str, ...]
    __members__: tuple[dataclasses.Field[Any], ...]


_set = object.__setattr__


def _init(self: _Made, /, *values: object, **named: object) -> None:
    positional = self.__match_args__
    if len(values) > len(positional):
        raise TypeError(f"{type(self).__name__}() takes {len(positional)} values but {len(values)} were given")
    for name, value in zip(positional, values, strict=False):
        if name in named:
            raise TypeError(f"{type(self).__name__}() got several values for {name!r}")
        named[name] = value
    for field in self.__members__:
        if field.name in named:
            value = named.pop(field.name)
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        else:
            raise TypeError(f"{type(self).__name__}() misses a value for {field.name!r}")
        _set(self, field.name, value)
    if named:
        raise TypeError(f"{type(self).__name__}() got an unexpected value for {next(iter(named))!r}")


def _repr(self: _Made) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in self.__members__ if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _values(self: _Made) -> tuple[object, ...]:
    return tuple(getattr(self, field.name) for field in self.__members__)


def _restore(self: _Made, state: tuple[object, ...]) -> None:
    for field, value in zip(self.__members__, state, strict=True):
        _set(self, field.name, value)


def _eq(self: _Made, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: _Made) -> int:
    return hash(_values(self))


def _refuse_to_set(self: _Made, name: str, value: object) -> None:
    del self, value
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: _Made, name: str) -> None:
    del self
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
