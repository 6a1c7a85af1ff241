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
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import batched
from typing import Any, Final, override

import boto3
from aws_lambda_powertools import Logger

from brokerlink.expiry import IST
from brokerlink.telemetry import Telemetry
from publish import Publisher
from tools.command import Failure, run
from tools.stack import Stack, existing
from tools.stages import Stage, add_stage, read_stage

# What an event is made of; the ciphertext stays where it is.
_ATTRIBUTES: Final = ("user_id", "connection", "broker", "account", "scope", "attempt_id", "issued_at_ms", "expires_at")
_BATCH: Final = 100

type Record = dict[str, Any]
type Announce = Callable[[list[Record]], list[str]]


class _Terminal(Telemetry):
    """Counts nothing: a metric is for a function's log."""

    @override
    def count(self, metric: str, broker: str | None = None, *, success: bool | None = None, times: int = 1) -> None:
        pass


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code: 1 too where some could not be announced."""
    parser = argparse.ArgumentParser(prog="make reannounce", description="Announce live tokens again.")
    add_stage(parser)
    parser.add_argument(
        "--since",
        default=os.environ.get("SINCE", ""),
        help="2026-11-23T08:30 (IST unless it names an offset), or epoch seconds (SINCE=)",
    )
    options = parser.parse_args(arguments)

    def command() -> int:
        stage, since = read_stage(options.stage), parse_since(options.since)
        stack = existing(stage)
        announce = announcing_here(stage, stack) if os.environ.get("AWS_ENDPOINT_URL") else announcing(stage, stack)
        done, failed = reannounce(live_rows(stage, stack.output("TokensTableName"), since), announce)
        at = datetime.fromtimestamp(since, IST)
        print(f"announced again: {done} live token(s) issued since {at:%d %b %Y %H:%M:%S IST}")
        if failed:
            print(f"not announced: {failed}; run the same command again", file=sys.stderr)
        return 1 if failed else 0

    return run("reannounce", command)


def parse_since(text: str) -> int:
    """Give the epoch second of `SINCE`. Raises `Failure`."""
    if text.isascii() and text.isdigit() and len(text) <= 11:
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Failure("SINCE has to be a time such as 2026-11-23T08:30 (IST), or epoch seconds") from None
    return int((at if at.tzinfo else at.replace(tzinfo=IST)).timestamp())


def reannounce(rows: Iterable[Mapping[str, Any]], announce: Announce) -> tuple[int, int]:
    """Announce rows; give how many were announced and how many were not."""
    done = failed = 0
    for batch in batched(rows, _BATCH, strict=False):
        not_now = announce([_as_insert(row) for row in batch])
        failed += len(not_now)
        done += len(batch) - len(not_now)
        print(f"  {done} announced ...", file=sys.stderr)
    return done, failed


def live_rows(
    stage: Stage, table: str, since: int, clock: Callable[[], float] = time.time
) -> Iterator[Mapping[str, Any]]:
    """Give the rows of live tokens issued at or after `since`, without their ciphertext, page by page."""
    pages = (
        boto3.client("dynamodb", region_name=stage.region)
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


def announcing_here(stage: Stage, stack: Stack) -> Announce:
    """Announce in this process, with the operator's own credentials."""
    return Publisher(
        sns=boto3.client("sns", region_name=stage.region),
        sqs=boto3.client("sqs", region_name=stage.region),
        topic=stack.output("TokenIssuedTopicArn"),
        dead_letters=stack.output("AnnounceDeadLettersUrl"),
        source=f"brokerlink/{stage.stack}",
        telemetry=_Terminal(Logger(service="reannounce", level="WARNING")),
    )


def announcing(stage: Stage, stack: Stack) -> Announce:
    """Announce through the deployed function: only it may publish."""
    client, function = boto3.client("lambda", region_name=stage.region), stack.output("AnnounceFunctionName")

    def announce(records: list[Record]) -> list[str]:
        payload = json.dumps({"Records": records}).encode()
        answer = client.invoke(FunctionName=function, Payload=payload)
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
