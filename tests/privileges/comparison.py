"""Holds the calls against the policies, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.privileges.aws_itself import own_calls
from tests.privileges.calls import Call
from tests.privileges.resources import Resources
from tests.privileges.roles import policies
from tests.template.iam import Grant
from tests.template.stack import Stack


@dataclass(frozen=True)
class Comparison:
    """`outside` are calls that no statement allows, `unused` what a role allows and nobody does, by caller."""

    outside: frozenset[tuple[str, str, str]]
    unused: frozenset[tuple[str, Grant]]


def compare(calls: Iterable[Call], main: Stack, consumer: Stack, resources: Resources) -> Comparison:
    """Compare the calls of our code, and those of AWS in its name, with what both templates say."""
    said = policies(main, consumer, resources)
    by_aws = [replace(own.call, resource=resources.meant(own.call.resource)) for own in own_calls(main)]
    allowing = {call: said[call.caller].allowing(call) for call in [*calls, *by_aws]}
    used = {(call.caller, grant) for call, found in allowing.items() for grant in found}
    given = {(caller, grant) for caller, policy in said.items() for grant in policy.own if grant.effect == "Allow"}
    # A wildcard allows more than any recording could show to be needed.
    wide = {(caller, grant) for caller, grant in given if "*" in grant.action + grant.resource}
    return Comparison(
        frozenset((call.caller, call.action, call.resource) for call, found in allowing.items() if not found),
        frozenset(given - used | wide),
    )
