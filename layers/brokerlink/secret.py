"""Values that must not be seen."""

from __future__ import annotations

from typing import NoReturn, Self, SupportsIndex, override


class Secret:
    """A text that shows itself only when asked to: logs, tracebacks, `repr` and `asdict` get a mask; pickle, nothing.

    It is no dataclass, because `dataclasses.asdict`, and the JSON encoders that call it, look into those.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the text itself. Call this where the text leaves for its one rightful place, and nowhere else."""
        return self._value

    @override
    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, Secret) else NotImplemented

    @override
    def __hash__(self) -> int:
        return hash(self._value)

    @override
    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @override
    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be pickled: what is pickled lands in caches, queues and files. Raises `TypeError`."""
        raise TypeError("a secret is not pickled")
