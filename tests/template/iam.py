"""What policies say, taken apart into one grant for each action and resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.template.stack import Json, Stack, listed, named


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource; `condition` is its JSON with references written the short way."""

    action: str
    resource: str
    condition: str = ""
    principal: str = ""
    effect: str = "Allow"


def grants(document: Json) -> list[Grant]:
    """Take a policy document apart. A statement by exclusion is refused: nobody can say what it allows."""
    taken = []
    for statement in listed(document["Statement"]):
        assert isinstance(statement, dict)
        excluded = {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
        assert not excluded, f"a statement by exclusion: {excluded}"
        taken += [
            Grant(
                action=str(action),
                resource=named(resource),
                condition=condition(statement.get("Condition")),
                principal=_principal(statement.get("Principal")),
                effect=statement["Effect"],
            )
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        ]
    assert len(taken) == len(set(taken)), "something is said twice"
    return taken


def condition(value: object) -> str:
    """Write a Condition so that two that say the same are equal."""
    return json.dumps(_short(value), sort_keys=True) if value else ""


def _short(value: object) -> object:
    match value:
        case {"Fn::GetAtt": _} | {"Ref": _} | {"Fn::Sub": _}:
            return named(value)
        case dict():
            return {key: _short(item) for key, item in value.items()}
        case list():
            return sorted((_short(item) for item in value), key=str)
    return value


def _principal(value: object) -> str:
    match value:
        case None:
            return ""
        case {"AWS": aws}:
            return named(aws)
        case {"Service": service}:
            return named(service)
    return named(value)


def role_documents(stack: Stack, role: str) -> Iterator[Json]:
    """Every policy that a role has, wherever the template attaches it."""
    properties = stack.properties(role)
    assert not properties.get("ManagedPolicyArns"), f"{role} has policies that others write"
    for policy in properties.get("Policies", []):
        yield policy["PolicyDocument"]
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for policy in stack.of_type(kind).values():
            if role in map(named, policy.get("Roles", [])):
                yield policy["PolicyDocument"]


def role_grants(stack: Stack, role: str) -> list[Grant]:
    return [grant for document in role_documents(stack, role) for grant in grants(document)]


def stream_of(table: str) -> set[Grant]:
    """Give what reading a table's stream takes."""
    actions = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    return {Grant(f"dynamodb:{action}", f"{table}.StreamArn") for action in actions}
