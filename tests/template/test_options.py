"""Each option alone, and all of them together: what it adds, and that it is a whole template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from tests.template.options import EVERYTHING, LINEAR, ONE_ADDRESS, OPTIONS, Parameters
from tests.template.stack import Stack, source, translate
from tools.lint_templates import findings_in

_ZONE = {f"EgressPrivate{kind}{zone}" for kind in ("Subnet", "Routes", "RoutesOfSubnet", "Default") for zone in "AB"}
_ONE = {
    *_ZONE,
    "CallbackLeavesNetworkAlone",
    "EgressAddressA",
    "EgressDynamoDb",
    "EgressGatewayAttachment",
    "EgressInternetGateway",
    "EgressNatA",
    "EgressPublicDefault",
    "EgressPublicRoutes",
    "EgressPublicRoutesOfSubnetA",
    "EgressPublicSubnetA",
    "EgressSecurityGroup",
    "EgressVpc",
}
_DOMAIN = {"CustomDomain", "CustomDomainMapping"}
_SHIFT = {
    "AuthorizeFunctionDeploymentGroup",
    "CallbackFunctionDeploymentGroup",
    "ServerlessDeploymentApplication",
    "TrafficShiftRole",
}
_EXPIRING = {"EndingSchedule", "ScheduleRole", "RemindErrorsAlarm"}
_REMINDERS = {*_EXPIRING, "ReminderTimes"}
ADDED: Mapping[str, set[str]] = {
    "a domain": _DOMAIN,
    "a domain with its record": {*_DOMAIN, "CustomDomainRecord"},
    "its own address only": _DOMAIN,
    "one address": _ONE,
    "two addresses": {*_ONE, "EgressAddressB", "EgressNatB", "EgressPublicRoutesOfSubnetB", "EgressPublicSubnetB"},
    "a canary": _SHIFT,
    "a linear shift": _SHIFT,
    "expiring events": _EXPIRING,
    "reminders": _REMINDERS,
    "an e-mail": {*_REMINDERS, "NotifySubscription"},
    "failed events": {"AnnounceFunctionLoginFailed"},
}
_ATTRIBUTE_OR_NAME = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")
# Of two options that exclude each other one is in each; `make check` lints the default.
LINTED: Mapping[str, Parameters] = {
    "everything": EVERYTHING,
    "the other choices": {**EVERYTHING, **LINEAR, **ONE_ADDRESS},
}


def resources(stack: Stack) -> set[str]:
    """The logical ids, without the part that follows a release."""
    return {re.sub(r"(Version)[0-9a-f]{10}$", r"\1", name) for name in stack.body["Resources"]}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_adds_its_own_resources_and_takes_none(option: str, stack: Stack) -> None:
    with_it = resources(translate(source(), **OPTIONS[option]))
    assert with_it - resources(stack) == ADDED.get(option, set())
    assert not resources(stack) - with_it


def test_the_default_has_nothing_that_costs_by_the_hour(stack: Stack) -> None:
    kinds = {resource["Type"].rpartition("::")[0] for resource in stack.body["Resources"].values()}
    assert not kinds & {"AWS::EC2", "AWS::CodeDeploy", "AWS::Route53"}


def references(node: object) -> Iterator[str]:
    match node:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from _ATTRIBUTE_OR_NAME.findall(text)
        case {"Fn::Sub": [str(text), dict(names)]}:
            yield from set(_ATTRIBUTE_OR_NAME.findall(text)) - names.keys()
            yield from references(names)
        case dict():
            for key, value in node.items():
                if key == "DependsOn":
                    yield from [value] if isinstance(value, str) else value
                else:
                    yield from references(value)
        case list():
            for value in node:
                yield from references(value)


@pytest.mark.parametrize("parameters", [{}, *OPTIONS.values(), EVERYTHING], ids=["the default", *OPTIONS, "everything"])
def test_nothing_refers_to_what_is_not_there(parameters: Parameters) -> None:
    body = translate(source(), **parameters).body
    there = body["Resources"].keys() | body["Parameters"].keys()
    named = {name for name in references([body["Resources"], body["Outputs"]]) if not name.startswith("AWS::")}
    assert named <= there


@pytest.mark.parametrize("parameters", LINTED.values(), ids=LINTED)
def test_nothing_is_found_in_what_sam_and_its_conditions_make_of_it(parameters: Parameters) -> None:
    body = translate(source(), **parameters).body
    decided = {section: said for section, said in body.items() if section not in {"Conditions", "Rules"}}
    # What a reference gives is judged by the default.
    for name, value in parameters.items():
        decided["Parameters"][name]["Default"] = value
    assert findings_in("template.yaml", decided) == []
