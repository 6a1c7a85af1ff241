"""Announces live tokens again, for consumers that missed them: `make reannounce SINCE=2026-11-23T08:30`.

Reads the Tokens table with the operator's own credentials and hands its live rows to the announce function as if they
had just been inserted. Events keep their ids, so whoever has seen one ignores it. Where AWS_ENDPOINT_URL is set (an
emulator that runs no functions), announce runs in this process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from pathlib import Path
from typing import Any, Final, override

import boto3
from botocore.exceptions import BotoCoreError, ClientError

sys.path[:0] = [str(Path(__file__).parent.parent / each) for each in ("layers", "functions/announce")]

from aws_lambda_powertools import Logger  # noqa: E402 - the import roots of the functions are set above

from brokerlink.expiry import IST  # noqa: E402 - the same
from brokerlink.telemetry import Telemetry  # noqa: E402 - the same
from publish import Publisher  # noqa: E402 - the same

# What an event is made of; the ciphertext stays where it is.
_ATTRIBUTES: Final = ("user_id", "connection", "broker", "account", "scope", "attempt_id", "issued_at_ms", "expires_at")
_BATCH: Final = 100

type Record = dict[str, Any]
type Announce = Callable[[list[Record]], list[str]]


class Failure(Exception):
    """Announcing again is not possible; the text says what to do."""


class _Terminal(Telemetry):
    """Counts nothing: a metric is for a function's log."""

    @override
    def count(self, metric: str, broker: str | None = None, *, success: bool | None = None) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the stack's outputs tell."""

    tokens_table: str
    announce_function: str
    topic: str
    dead_letters: str


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code."""
    parser = argparse.ArgumentParser(prog="make reannounce", description="Announce live tokens again.")
    parser.add_argument(
        "--since", required=True, help="2026-11-23T08:30 (IST unless it names an offset), or epoch seconds"
    )
    parser.add_argument("--stack", default=os.environ.get("STACK", "brokerlink"), help="the stack's name (STACK=)")
    options = parser.parse_args(arguments)
    try:
        since = parse_since(options.since)
        outputs = read_outputs(options.stack)
        in_process = bool(os.environ.get("AWS_ENDPOINT_URL"))
        announce = announcing_here(outputs, options.stack) if in_process else announcing_by_lambda(outputs)
        done, failed = reannounce(outputs.tokens_table, since, announce)
    except Failure as failure:
        print(f"reannounce: {failure}", file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError) as error:
        print(f"reannounce: AWS refused or did not answer: {error}", file=sys.stderr)
        return 1
    print(
        f"announced again: {done} live token(s) issued since {datetime.fromtimestamp(since, IST):%d %b %Y %H:%M:%S IST}"
    )
    if failed:
        print(f"not announced: {failed}; run the same command again", file=sys.stderr)
    return 1 if failed else 0


def parse_since(text: str) -> int:
    """Give the epoch second of `SINCE`. Raises `Failure`."""
    if text.isascii() and text.isdigit() and len(text) <= 11:
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Failure("SINCE has to be a time such as 2026-11-23T08:30 (IST), or epoch seconds") from None
    return int((at if at.tzinfo else at.replace(tzinfo=IST)).timestamp())


def read_outputs(stack: str) -> Outputs:
    """Give the stack's outputs. Raises `Failure` where one is missing."""
    stacks = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    values = {each.get("OutputKey"): each.get("OutputValue", "") for each in stacks[0].get("Outputs", [])}
    names = ("TokensTableName", "AnnounceFunctionName", "TokenIssuedTopicArn", "AnnounceDeadLettersUrl")
    if missing := [name for name in names if not values.get(name)]:
        raise Failure(f"the stack {stack} has no output {missing[0]}; name the brokerlink stack with STACK=")
    return Outputs(*(values[name] for name in names))


def reannounce(table: str, since: int, announce: Announce) -> tuple[int, int]:
    """Announce the live rows issued at or after `since`; give how many were and how many were not."""
    done = failed = 0
    for batch in batched(live_rows(table, since), _BATCH, strict=False):
        not_now = announce([_as_insert(row) for row in batch])
        failed += len(not_now)
        done += len(batch) - len(not_now)
        print(f"  {done} announced …", file=sys.stderr)
    return done, failed


def live_rows(table: str, since: int, clock: Callable[[], float] = time.time) -> Iterator[Mapping[str, Any]]:
    """Give the rows of live tokens issued at or after `since`, without their ciphertext, page by page."""
    pages = (
        boto3.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=table,
            ConsistentRead=True,
            FilterExpression="#expires_at > :now AND #issued_at_ms >= :since",
            ProjectionExpression=", ".join(f"#{name}" for name in _ATTRIBUTES),
            ExpressionAttributeNames={f"#{name}": name for name in _ATTRIBUTES},
            ExpressionAttributeValues={":now": {"N": str(int(clock()))}, ":since": {"N": str(since * 1000)}},
        )
    )
    for page in pages:
        yield from page["Items"]


def announcing_here(outputs: Outputs, stack: str) -> Announce:
    """Announce in this process, with the operator's own credentials."""
    return Publisher(
        sns=boto3.client("sns"),
        sqs=boto3.client("sqs"),
        topic=outputs.topic,
        dead_letters=outputs.dead_letters,
        source=f"brokerlink/{stack}",
        telemetry=_Terminal(Logger(service="reannounce", level="WARNING")),
    )


def announcing_by_lambda(outputs: Outputs) -> Announce:
    """Announce through the deployed function: only it may publish."""
    client = boto3.client("lambda")

    def announce(records: list[Record]) -> list[str]:
        payload = json.dumps({"Records": records}).encode()
        answer = client.invoke(FunctionName=outputs.announce_function, Payload=payload)
        if answer.get("FunctionError"):
            raise Failure("the announce function failed; its log says why")
        return [each["itemIdentifier"] for each in json.load(answer["Payload"])["batchItemFailures"]]

    return announce


def _as_insert(row: Mapping[str, Any]) -> Record:
    return {
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {name: row[name] for name in ("user_id", "connection")},
            "NewImage": dict(row),
            "SequenceNumber": row["attempt_id"]["S"],
        },
    }


if __name__ == "__main__":
    sys.exit(main())
