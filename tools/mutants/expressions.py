"""Mutants of DynamoDB expressions, which no library makes: to it a condition is a text like any other.

DynamoDB refuses an expression that leaves a name or a value unused, and every test would notice that. So what is
dropped is not cut out: a conjunct becomes true and a disjunct false whatever the row holds, and an assignment goes to
an attribute that nobody reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# `#name`, or one that an f-string puts together.
_NAME: Final = r"#[\w{}]+"
_COMPARISON: Final = re.compile(rf"(?P<name>{_NAME}) (?P<operator>=|<>|<=|>=|<|>) (?P<value>:[\w{{}}]+)")
_FUNCTION: Final = re.compile(r"attribute_(?P<which>not_exists|exists)\((?P<operand>[^)]*)\)")
_JOINT: Final = re.compile(r" (AND|OR) ")
# A condition that another constant holds, put in by an f-string.
_INSERTED: Final = re.compile(r"\{[A-Z_]+\}(?= AND)")
_ASSIGNMENT: Final = re.compile(rf"(?P<name>{_NAME}) = :")
_REMOVED: Final = rf"(?:{_NAME}|\{{\w+\}})"
_REMOVAL: Final = re.compile(rf" ?REMOVE (?P<names>{_REMOVED}(?:, {_REMOVED})*)")

_LOOSENED: Final = {"=": "<>", "<>": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_OPPOSITE: Final = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def is_expression(code: str) -> bool:
    """Say whether a text, as it is written in the source, is an expression or a piece of one."""
    return re.search(rf"{_NAME} *[=<>]|attribute_(not_)?exists\(|REMOVE [#{{]", code) is not None


def changed_expressions(code: str) -> Iterator[str]:
    """Give each mutant of an expression: its text in the source with one thing changed."""
    if is_expression(code):
        is_update = re.search(r"\bSET |\bREMOVE ", code) is not None or code.strip("f\"'").startswith(", ")
        yield from _updates(code) if is_update else _conditions(code)


def _conditions(code: str) -> Iterator[str]:
    for match in _JOINT.finditer(code):
        yield _with(code, match, " OR " if match[1] == "AND" else " AND ")
    always = " OR " not in code
    for match in _COMPARISON.finditer(code):
        name, operator, value = match["name"], match["operator"], match["value"]
        yield _with(code, match, f"{name} {_LOOSENED[operator]} {value}")
        yield _with(code, match, _dropped(match[0], f"{name} {_OPPOSITE[operator]} {value}", always=always))
    for match in _FUNCTION.finditer(code):
        other = "exists" if match["which"] == "not_exists" else "not_exists"
        opposite = f"attribute_{other}({match['operand']})"
        yield _with(code, match, opposite)
        yield _with(code, match, _dropped(match[0], opposite, always=always))
    for match in _INSERTED.finditer(code):
        yield _with(code, match, _dropped(f"({match[0]})", f"NOT ({match[0]})", always=True))


def _dropped(condition: str, opposite: str, *, always: bool) -> str:
    return f"({condition} {'OR' if always else 'AND'} {opposite})"


def _updates(code: str) -> Iterator[str]:
    for match in _ASSIGNMENT.finditer(code):
        yield _with(code, match, "#dropped = :")
    for match in _REMOVAL.finditer(code):
        names = match["names"].split(", ")
        for name in names:
            kept = [each for each in names if each != name]
            yield _with(code, match, f"{match[0].partition('REMOVE')[0]}REMOVE {', '.join(kept)}" if kept else "")


def _with(code: str, match: re.Match[str], text: str) -> str:
    return code[: match.start()] + text + code[match.end() :]
