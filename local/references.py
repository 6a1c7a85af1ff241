"""References to resources that the emulator does not create, replaced by what they would stand for.

The emulator makes tables, topics, queues, keys and log groups. Functions run as processes of the local stack
and policies are not enforced there, but the rest of a template refers to them all the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.aws import REGION
from local.errors import TemplateError
from local.template import Json

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")  # `${!Literal}` does not match, as it should


@dataclass(frozen=True)
class StandIn:
    """What `Ref` gives and what the attribute `Arn` gives for one resource."""

    ref: str
    arn: str


def stand_ins(resources: Mapping[str, Json], account: str) -> dict[str, StandIn]:
    """Stand-ins for the functions, layers, roles and policies of a translated template."""

    def arn(service: str, resource: str, region: str = REGION) -> str:
        return f"arn:aws:{service}:{region}:{account}:{resource}"

    made: dict[str, StandIn] = {}
    for name, resource in resources.items():
        function = resource.get("Properties", {}).get("FunctionName")
        match resource["Type"]:
            case "AWS::Lambda::Function":
                made[name] = StandIn(name, arn("lambda", f"function:{name}"))
            case "AWS::Lambda::Alias" | "AWS::Lambda::Version" if isinstance(function, dict):
                qualified = arn("lambda", f"function:{function['Ref']}:{name}")
                made[name] = StandIn(qualified, qualified)
            case "AWS::Lambda::LayerVersion":
                layer = arn("lambda", f"layer:{name}:1")
                made[name] = StandIn(layer, layer)
            case "AWS::IAM::Role":
                made[name] = StandIn(name, arn("iam", f"role/{name}", region=""))
            case "AWS::IAM::ManagedPolicy":
                policy = arn("iam", f"policy/{name}", region="")
                made[name] = StandIn(policy, policy)
    return made


@dataclass(frozen=True)
class References:
    """Replaces references to what is not created; others are left to CloudFormation."""

    absent: Mapping[str, Json]
    known: Mapping[str, StandIn]
    lenient: bool = False

    def replaced(self, node: Any, where: str) -> Any:  # noqa: ANN401 - any JSON in, the same JSON out
        """Return `node` with every reference to an absent resource replaced.

        Raises TemplateError, naming `where`, for a reference that nothing can stand for; if lenient, the name
        that it refers to stands in its place.
        """
        match node:
            case {"Ref": str(name)} if name in self.absent:
                return self._value(name, None, where)
            case {"Fn::GetAtt": [str(name), "Value"]} if self._is_parameter(name):
                # An entry of Parameter Store is what the template makes it; it may speak of the API's own domain.
                value = self.absent[name]["Properties"]["Value"]
                return replace(self, lenient=True).replaced(value, where)
            case {"Fn::GetAtt": [str(name), str(attribute)]} if name in self.absent:
                return self._value(name, attribute, where)
            case {"Fn::Sub": str(text)}:
                return {"Fn::Sub": self._substituted(text, where)}
            case {"Fn::Sub": [str(text), names]}:
                return {"Fn::Sub": [self._substituted(text, where), self.replaced(names, where)]}
            case dict():
                node = {key: self.replaced(value, where) for key, value in node.items()}
            case list():
                node = [self.replaced(item, where) for item in node]
        return node

    def _is_parameter(self, name: str) -> bool:
        return self.absent.get(name, {}).get("Type") == "AWS::SSM::Parameter"

    def _substituted(self, text: str, where: str) -> str:
        def value(variable: re.Match[str]) -> str:
            name, _, attribute = variable[1].partition(".")
            return self._value(name, attribute or None, where) if name in self.absent else variable[0]

        return _VARIABLE.sub(value, text)

    def _value(self, name: str, attribute: str | None, where: str) -> str:
        stand_in = self.known.get(name)
        if stand_in is not None and attribute in (None, "Arn"):
            return stand_in.arn if attribute else stand_in.ref
        wanted = f"{name}.{attribute}" if attribute else name
        if self.lenient:
            return wanted
        kind = self.absent[name]["Type"]
        raise TemplateError(f"{where} refers to {wanted} ({kind}), which the local stack does not create.")
