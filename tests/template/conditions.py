"""What CloudFormation makes of conditions: the template that is left once the parameters are known.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]

_ABSENT = object()
_NO_VALUE = {"Ref": "AWS::NoValue"}


def settled(body: Json, given: Mapping[str, str]) -> Json:
    """Return the template with every condition decided: what does not come to be is gone, references stay."""
    parameters = {name: str(declared.get("Default", "")) for name, declared in body.get("Parameters", {}).items()}
    unknown = given.keys() - parameters.keys()
    assert not unknown, f"no parameter of the template: {unknown}"
    decisions = Decisions(parameters | dict(given), body.get("Conditions", {}))
    kept = {
        section: {
            name: {key: said for key, said in item.items() if key != "Condition"}
            for name, item in body.get(section, {}).items()
            if decisions.keep(item)
        }
        for section in ("Resources", "Outputs")
    }
    left: Json = decisions.without_ifs({**body, **kept})
    return left


def broken_rules(body: Json, given: Mapping[str, str]) -> list[str]:
    """Return what CloudFormation says of these parameters before it makes anything."""
    parameters = {name: str(declared.get("Default", "")) for name, declared in body["Parameters"].items()}
    decisions = Decisions(parameters | dict(given), {})
    return [
        assertion["AssertDescription"]
        for rule in body["Rules"].values()
        if decisions.holds(rule.get("RuleCondition", {"Fn::Equals": ["", ""]}))
        for assertion in rule["Assertions"]
        if not decisions.holds(assertion["Assert"])
    ]


@dataclass(frozen=True)
class Decisions:
    """Decides conditions from the parameters' values."""

    parameters: Mapping[str, str]
    conditions: Mapping[str, Json]

    def holds(self, condition: Json) -> bool:
        match condition:
            case {"Fn::Equals": [one, other]}:
                return self._value(one) == self._value(other)
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::And": inner}:
                return all(self.holds(each) for each in inner)
            case {"Fn::Or": inner}:
                return any(self.holds(each) for each in inner)
            case {"Condition": str(name)}:
                return self.holds(self.conditions[name])
        raise ValueError(f"no condition that is understood here: {condition}")

    def keep(self, item: Json) -> bool:
        return "Condition" not in item or self.holds(self.conditions[item["Condition"]])

    def without_ifs(self, node: Any) -> Any:
        """Return a node with each Fn::If replaced by the branch that is taken."""
        match node:
            case {"Fn::If": [str(name), then, otherwise]}:
                taken = then if self.holds(self.conditions[name]) else otherwise
                return _ABSENT if taken == _NO_VALUE else self.without_ifs(taken)
            case dict():
                replaced = ((key, self.without_ifs(value)) for key, value in node.items())
                return {key: value for key, value in replaced if value is not _ABSENT}
            case list():
                return [value for value in map(self.without_ifs, node) if value is not _ABSENT]
        return node

    def _value(self, operand: object) -> str:
        match operand:
            case {"Ref": str(name)}:
                return self.parameters[name]
        return str(operand)
