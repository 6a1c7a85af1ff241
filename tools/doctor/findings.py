"""What a check finds, and how it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ended. Only `FAIL` keeps customers from logging in."""

    OK = "ok"
    NOTE = "note"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, and what to do, if anything."""

    state: State
    what: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.state:<4}  {self.what}" + (f": {self.todo}" if self.todo else "")


def ok(what: str) -> Finding:
    """All is well."""
    return Finding(State.OK, what)


def note(what: str, todo: str) -> Finding:
    """It works, and there is something to know."""
    return Finding(State.NOTE, what, todo)


def fail(what: str, todo: str) -> Finding:
    """It does not work until this is done."""
    return Finding(State.FAIL, what, todo)
