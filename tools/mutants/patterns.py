"""Mutants of regular expressions: what a callback, a cookie or a `return_to` may hold is mostly told by these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_CLASS: Final = re.compile(r"\[(?P<negated>\^?)(?P<members>(?:\\.|[^\]\\])+)\]")
_ESCAPE: Final = r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|.)"
_MEMBER: Final = re.compile(rf"(?:{_ESCAPE}|[^\\])(?:-(?:{_ESCAPE}|[^\\]))?")
_COUNTS: Final = re.compile(r"(?<=[\])])\{(?P<counts>[0-9]+(?:,[0-9]+)?)\}")
_REPEATED: Final = re.compile(r"(?<=[\])])[*+?]")
_OTHER_REPETITION: Final = {"*": "+", "+": "*", "?": ""}
_GROUP: Final = re.compile(r"\((?P<choices>[^()[\]]*\|[^()[\]]*)\)")
# What may stand between two choices of the whole pattern.
_UNDIVIDED: Final = re.compile(r"(?:\[(?:\\.|[^\]\\])+\]|\([^)]*\)|\\.|[^|\\])+")


def is_pattern(code: str) -> bool:
    """Say whether a text, as it is written in the source, is a regular expression."""
    return _CLASS.search(code) is not None or (code.startswith("r") and _GROUP.search(code) is not None)


def changed_patterns(code: str) -> Iterator[str]:
    """Give each mutant of a pattern: its text in the source with one thing changed."""
    if not is_pattern(code):
        return
    for match in _CLASS.finditer(code):
        members = _MEMBER.findall(match["members"])
        if match["negated"]:
            yield _with(code, match, f"[{match['members']}]")
        for place in range(len(members) if len(members) > 1 else 0):
            kept = "".join(members[:place] + members[place + 1 :])
            yield _with(code, match, f"[{match['negated']}{kept}]")
    for match in _COUNTS.finditer(code):
        yield from (_with(code, match, f"{{{counts}}}") for counts in _other_counts(match["counts"]))
    for match in _REPEATED.finditer(code):
        yield _with(code, match, _OTHER_REPETITION[match[0]])
    for match in _GROUP.finditer(code):
        choices = match["choices"].split("|")
        for choice in choices:
            yield _with(code, match, f"({'|'.join(each for each in choices if each != choice)})")
    prefix, quote, pattern = code.partition(code[-1])
    choices = _UNDIVIDED.findall(pattern[:-1])
    for choice in choices if len(choices) > 1 else ():
        yield f"{prefix}{quote}{'|'.join(each for each in choices if each != choice)}{quote}"


def _other_counts(counts: str) -> Iterator[str]:
    numbers = [int(number) for number in counts.split(",")]
    for place, number in enumerate(numbers):
        for other in (number - 1, number + 1):
            changed = [*numbers[:place], other, *numbers[place + 1 :]]
            if min(changed) >= 0 and changed == sorted(changed):
                yield ",".join(map(str, changed))


def _with(code: str, match: re.Match[str], text: str) -> str:
    return code[: match.start()] + text + code[match.end() :]
