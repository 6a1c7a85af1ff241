"""Values that must not be seen."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that shows itself only when asked to: logs, tracebacks and `repr` get a mask."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Give the text itself. Call this where the text leaves for its one rightful place, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__
