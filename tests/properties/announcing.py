"""Announces what was written to the Tokens table, as the stream would have it announced."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_lambda_powertools import Logger

from brokerlink.telemetry import Telemetry
from publish import Publisher

_NUMBERS = itertools.count()


class Topic:
    """Stands where the SNS client does, and keeps what was published."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def publish(self, **call: Any) -> dict[str, Any]:
        # As the SDK does, which can send nothing that has no bytes.
        json.dumps(call, ensure_ascii=False).encode()
        self.calls.append(call)
        return {"MessageId": "1"}

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(call["Message"]) for call in self.calls]


class DeadLetters:
    """Stands where the SQS client does, and keeps what was buried."""

    def __init__(self) -> None:
        self.letters: list[dict[str, Any]] = []

    def send_message(self, **call: Any) -> dict[str, Any]:
        json.dumps(call, ensure_ascii=False).encode()
        self.letters.append(json.loads(call["MessageBody"]))
        return {"MessageId": "1"}


def publisher(topic: Topic, letters: DeadLetters, log: io.StringIO | None = None) -> Publisher:
    """Make a publisher before a topic and a queue that take everything."""
    logger = Logger(service=f"announce-{next(_NUMBERS)}", stream=log or io.StringIO(), level="DEBUG")
    return Publisher(
        sns=cast("Any", topic),
        sqs=cast("Any", letters),
        topic="arn:aws:sns:ap-south-1:123456789012:TokenIssued",
        dead_letters="https://sqs.ap-south-1.amazonaws.com/123456789012/letters",
        source="brokerlink/test",
        telemetry=Telemetry(logger),
    )


def announced(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the events of stream records, all of which can be published."""
    topic, letters = Topic(), DeadLetters()
    assert publisher(topic, letters)(records) == []
    assert letters.letters == []
    return topic.events
