"""IAM's answer to a call: the caller's own policies, and those of the key, topic or queue that it is made on.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.privileges.calls import Call
from tests.privileges.resources import Resources
from tests.template.iam import Grant

type Context = Mapping[str, Sequence[str]]

_ACCOUNT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"


@dataclass(frozen=True)
class Policies:
    """What is said of one caller: `own` by its role, `on` by the resource, each by the resource's ARN."""

    role: str
    own: tuple[Grant, ...]
    on: Mapping[str, tuple[Grant, ...]]
    resources: Resources

    def allowing(self, call: Call) -> list[Grant]:
        """Give the role's grants that allow a call; none where the call is refused."""
        own, said = self.own_word(call), self.resources_word(call)
        if any(grant.effect == "Deny" for grant in (*own, *said)):
            return []
        # A key's use takes the word of its own policy as well: these two do not leave it to IAM alone.
        return [] if call.action.startswith("kms:") and not said else own

    def own_word(self, call: Call) -> list[Grant]:
        """Give what the role says of a call."""
        return [grant for grant in self.own if self._applies(grant, call)]

    def resources_word(self, call: Call) -> list[Grant]:
        """Give what the key, topic or queue says of a call; the account's root stands for everybody in it."""
        said = self.on.get(self.resources.used(call.resource), ())
        return [grant for grant in said if grant.principal in {"*", _ACCOUNT} and self._applies(grant, call)]

    def _always(self) -> dict[str, Sequence[str]]:
        account = self.resources.meant("AWS::AccountId")
        return {
            "aws:PrincipalArn": [self.resources.meant(f"{self.role}.Arn")],
            "aws:PrincipalAccount": [account],
            # The emulator is on loopback; AWS's own endpoints speak TLS.
            "aws:SecureTransport": ["true"],
        }

    def _applies(self, grant: Grant, call: Call) -> bool:
        return (
            fnmatchcase(call.action, grant.action)
            and fnmatchcase(self.resources.used(call.resource), self.resources.meant(grant.resource))
            and self._holds(json.loads(grant.condition or "{}"), dict(call.context) | self._always())
        )

    def _holds(self, condition: Mapping[str, Mapping[str, object]], context: Context) -> bool:
        return all(
            _OPERATORS[operator](context.get(key, ()), self._values(wanted))
            for operator, keys in condition.items()
            for key, wanted in keys.items()
        )

    def _values(self, wanted: object) -> list[str]:
        every = wanted if isinstance(wanted, list) else [wanted]
        return [self.resources.meant(str(value)) for value in every]


def _equals(found: Sequence[str], wanted: Iterable[str]) -> bool:
    return bool(set(found) & set(wanted))


def _like(found: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(fnmatchcase(value, pattern) for value in found for pattern in wanted)


# An operator that is not here is an error: nobody could say what such a statement allows.
_OPERATORS: Mapping[str, Callable[[Sequence[str], list[str]], bool]] = {
    "StringEquals": _equals,
    "StringNotEquals": lambda found, wanted: not _equals(found, wanted),
    "ArnEquals": _like,
    "ArnNotEquals": lambda found, wanted: not _like(found, wanted),
    "Bool": _equals,
    "Null": lambda found, wanted: wanted == ["false" if found else "true"],
    "ForAllValues:StringEquals": lambda found, wanted: set(found) <= set(wanted),
}
