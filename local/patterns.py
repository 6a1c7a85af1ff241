"""Event filter patterns of event source mappings.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
"""

import json
from dataclasses import dataclass
from typing import Any

from local.errors import TemplateError

type _Rules = list[Any]
type _Tree = dict[str, _Tree | _Rules]

_OPERATORS = frozenset({"exists", "prefix", "suffix", "anything-but", "equals-ignore-case"})
_ABSENT = object()


@dataclass(frozen=True)
class Pattern:
    """One parsed pattern; it matches a record if every field that it names does."""

    tree: _Tree

    @classmethod
    def parse(cls, text: str, where: str) -> "Pattern":
        """Parse a pattern's JSON. Raises TemplateError, naming `where`, for one that is not understood."""
        try:
            tree = json.loads(text)
        except ValueError:
            raise TemplateError(f"{where} has a filter pattern that is no JSON.") from None
        _check(tree, where)
        return cls(tree)

    def matches(self, record: dict[str, Any]) -> bool:
        return _matches_tree(self.tree, record)


def _check(node: Any, where: str) -> None:  # noqa: ANN401 - JSON from a template
    if not isinstance(node, dict):
        raise TemplateError(f"{where} has a filter pattern whose rules are not in a list.")
    for value in node.values():
        if not isinstance(value, list):
            _check(value, where)
            continue
        for rule in value:
            if isinstance(rule, dict) and not (len(rule) == 1 and rule.keys() <= _OPERATORS):
                raise TemplateError(f"{where} has a filter rule that the local stack does not know: {rule}.")


def _matches_tree(tree: _Tree, record: Any) -> bool:  # noqa: ANN401 - any JSON
    for name, expected in tree.items():
        actual = record.get(name, _ABSENT) if isinstance(record, dict) else _ABSENT
        if isinstance(expected, dict):
            if not _matches_tree(expected, actual):
                return False
        elif not any(_matches_rule(rule, actual) for rule in expected):
            return False
    return True


def _matches_rule(rule: Any, actual: Any) -> bool:  # noqa: ANN401 - any JSON
    match rule:
        case {"exists": wanted}:
            # Only leaves exist: a rule on an object's name is a rule on something else.
            return (actual is not _ABSENT and not isinstance(actual, dict)) is bool(wanted)
        case {"prefix": str(start)}:
            return isinstance(actual, str) and actual.startswith(start)
        case {"suffix": str(end)}:
            return isinstance(actual, str) and actual.endswith(end)
        case {"equals-ignore-case": str(text)}:
            return isinstance(actual, str) and actual.casefold() == text.casefold()
        case {"anything-but": excluded}:
            refused = excluded if isinstance(excluded, list) else [excluded]
            return actual is not _ABSENT and actual not in refused
    return actual is not _ABSENT and type(actual) is type(rule) and actual == rule
