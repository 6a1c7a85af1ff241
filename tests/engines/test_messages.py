"""SNS into SQS, as a consumer's stack subscribes."""

from __future__ import annotations

import json
import secrets

import pytest
from aws_lambda_powertools import Logger

from brokerlink.aws import AwsClients
from brokerlink.events import TOKEN_ISSUED
from brokerlink.telemetry import Telemetry
from local.aws import Clients
from local.emulator import Emulator
from publish import Publisher

IMAGE = {
    "broker": {"S": "pocketful"},
    "account": {"S": "YA0002"},
    "user_id": {"S": "asha"},
    "attempt_id": {"S": "an-attempt"},
    "scope": {"S": "orders"},
    "issued_at_ms": {"N": "1795404600123"},
    "expires_at": {"N": "1795458600"},
}


def record(**image: dict[str, str]) -> dict[str, object]:
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": {**IMAGE, **image}}}


class Inbox:
    """A queue that is subscribed to a topic as the example of a consumer has it."""

    def __init__(self, clients: Clients, topic: str, **policy: list[str]) -> None:
        self._sqs = clients.sqs
        self.url = clients.sqs.create_queue(QueueName=f"inbox-{secrets.token_hex(4)}")["QueueUrl"]
        attributes = clients.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]
        clients.sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
            Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps(policy)},
        )

    def messages(self) -> list[str]:
        found = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return [message["Body"] for message in found.get("Messages", [])]


@pytest.fixture
def topic(clients: Clients) -> str:
    return clients.sns.create_topic(Name=f"topic-{secrets.token_hex(4)}")["TopicArn"]


@pytest.fixture
def publisher(emulator: Emulator, clients: Clients, topic: str, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    aws = AwsClients()
    return Publisher(
        sns=aws.client("sns"),
        sqs=aws.client("sqs"),
        topic=topic,
        dead_letters=clients.sqs.create_queue(QueueName=f"dead-{secrets.token_hex(4)}")["QueueUrl"],
        source="brokerlink/test",
        telemetry=Telemetry(Logger(service="test-engines")),
    )


def test_an_event_arrives_as_it_was_published_and_where_it_is_wanted(
    clients: Clients, topic: str, publisher: Publisher
) -> None:
    wanted = Inbox(clients, topic, type=[TOKEN_ISSUED])
    by_broker = Inbox(clients, topic, type=[TOKEN_ISSUED], broker=["pocketful"])
    unwanted = Inbox(clients, topic, type=[TOKEN_ISSUED], broker=["fivepaisa"])
    assert publisher([record()]) == []
    (message,) = wanted.messages()
    assert json.loads(message)["data"]["account"] == "YA0002"
    assert by_broker.messages() == [message]
    assert unwanted.messages() == []


def test_what_can_never_be_published_goes_to_the_dead_letters(clients: Clients, publisher: Publisher) -> None:
    assert publisher([record(issued_at_ms={"N": "no number"})]) == []
    (letter,) = clients.sqs.receive_message(QueueUrl=publisher.dead_letters, WaitTimeSeconds=1)["Messages"]
    assert json.loads(letter["Body"])["attempt_id"] == "an-attempt"
