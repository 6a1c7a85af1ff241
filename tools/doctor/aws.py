"""Checks of the account and of the stack in it."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tools.doctor.findings import Finding, fail, note, ok
from tools.stack import Stack
from tools.stages import Stage

# What Lambda gives to a new account; an old one has a thousand.
_NEW_ACCOUNT = 10


def identity(stage: Stage) -> Iterator[Finding]:
    """Say as whom the commands act."""
    who = boto3.client("sts", region_name=stage.region).get_caller_identity()
    yield ok(f"AWS account {who['Account']}, region {stage.region}, as {who['Arn'].rpartition(':')[2]}")


def stack_status(stage: Stage, stack: Stack) -> Iterator[Finding]:
    """Check that the last deployment ended well."""
    if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        yield ok(f"the stack {stage.stack} is deployed")
    elif stack.status.endswith("ROLLBACK_COMPLETE") and stack.status != "ROLLBACK_COMPLETE":
        yield note(f"the last deployment of {stage.stack} was rolled back", "CloudFormation's events say why")
    else:
        yield fail(f"the stack {stage.stack} is {stack.status}", "wait for its end, or see CloudFormation's events")


def concurrency(stage: Stage) -> Iterator[Finding]:
    """Check how many functions may run at once."""
    try:
        limit = boto3.client("lambda", region_name=stage.region).get_account_settings()["AccountLimit"]
    except (ClientError, BotoCoreError):
        return
    at_once = limit.get("ConcurrentExecutions", 0)
    if at_once <= _NEW_ACCOUNT:
        yield note(
            f"Lambda runs {at_once} functions at once in this account",
            "enough for a trader; for a platform, raise the quota 'Concurrent executions' (L-B99A9384)",
        )
    else:
        yield ok(f"Lambda runs {at_once} functions at once in this account")


def dead_letters(stage: Stage, queue: str) -> Iterator[Finding]:
    """Look for tokens that could not be announced."""
    attributes = boto3.client("sqs", region_name=stage.region).get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    if count := int(attributes["ApproximateNumberOfMessages"]):
        yield note(f"{count} tokens could not be announced", "docs/operating.md says what to do with the queue")
    else:
        yield ok("no token is waiting to be announced by hand")
