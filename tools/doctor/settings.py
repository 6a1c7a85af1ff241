"""Checks of the stack's parameters and of its secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from brokerlink.brokers.base import Broker
from brokerlink.settings import WebSettings
from tools.broker_apps import read_secrets
from tools.command import Failure
from tools.doctor.findings import Finding, fail, note, ok
from tools.stages import Stage

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient


def parameters(stage: Stage, settings: WebSettings, given: Mapping[str, str]) -> Iterator[Finding]:
    """Check the parameters, as the functions read them."""
    for problem in settings.problems:
        yield fail(str(problem), f"`{stage.command('deploy', PARAMETERS=f'{problem.setting}=...')}`")
    for broker, problem in settings.brokers.off.items():
        yield fail(f"{broker} is off: {problem}", f"`{stage.command('configure', BROKER=broker)}`")
    if not settings.brokers.on and not settings.brokers.off:
        yield fail("no broker is set up", f"`{stage.command('configure', BROKER='pocketful')}` (or fivepaisa)")
    for broker_id in settings.brokers.on:
        yield ok(f"{broker_id}'s app settings are well-formed")
    if not settings.direct_logins and not settings.return_to:
        yield note(
            "DirectLoginAccounts and ReturnTo are empty",
            "only sessions that name an account can log in; give DirectLoginAccounts for your own account, or ReturnTo "
            "for a platform whose users confirm their logins",
        )
    if settings.direct_accounts is None:
        yield note("DirectLoginAccounts is *", "anybody may link an account of theirs here; list the accounts instead")
    if "AlarmTopicArn" in given and not given["AlarmTopicArn"]:
        yield note("AlarmTopicArn is empty", "alarms are raised in CloudWatch and wake nobody")


def secrets(stage: Stage, client: SecretsManagerClient, arn: str, brokers: Mapping[str, Broker]) -> Iterator[Finding]:
    """Check that each broker's secrets are present and well-formed. No value is shown."""
    try:
        entries = read_secrets(client, arn)
    except Failure as failure:
        yield fail("the secret is malformed", str(failure))
        return
    for broker in brokers.values():
        entry = entries.get(broker.id, {})
        wrong = [name for name in sorted(broker.secret_names) if not is_well_formed(entry.get(name))]
        if wrong:
            todo = f"`{stage.command('configure', BROKER=broker.id)}`"
            yield fail(f"{broker.id}'s secret {', '.join(wrong)} is missing or malformed", todo)
        else:
            yield ok(f"{broker.id}'s secret is present and well-formed")
    for left in sorted(entries.keys() - brokers.keys()):
        yield note(f"the secret has an entry {left} that no broker uses", "remove it in Secrets Manager")


def is_well_formed(value: object) -> bool:
    """Say whether a secret can be sent as it is: one visible line without spaces around it."""
    return isinstance(value, str) and bool(value) and value.isprintable() and value == value.strip()
