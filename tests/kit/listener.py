"""Somebody who hears every event of a running stack, of whatever kind."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from local.stack import Stack


class Listener:
    """A queue of its own at the stack's topic; `heard` are the events by their id, as they came."""

    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.clients.sqs
        self._queue = self._sqs.create_queue(QueueName=f"listener-{secrets.token_hex(4)}")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        stack.clients.sns.subscribe(
            TopicArn=stack.outputs["TokenIssuedTopicArn"],
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        self.heard: dict[str, dict[str, Any]] = {}

    def wait_for(self, event_id: str, seconds: float = 30.0) -> dict[str, Any]:
        """Give the event with an id. Raises AssertionError when it does not come."""
        deadline = time.monotonic() + seconds
        while event_id not in self.heard:
            assert time.monotonic() < deadline, f"{event_id} was not told; {sorted(self.heard)} were"
            for message in self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", []):
                event = json.loads(message["Body"])
                self.heard[event["id"]] = event
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            time.sleep(0.05)
        return self.heard[event_id]
