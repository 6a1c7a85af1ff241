"""From the topic through a queue to a function: what succeeded is gone, what failed comes again."""

import json
from dataclasses import replace

import pytest

from local.errors import TemplateError
from local.functions import EventSource
from local.patterns import Pattern
from local.queues import QueueDelivery
from local.runtime import FunctionError
from local.template import Json
from tests.local.miniature_stack import Miniature


class FakeConsumer:
    """A function that fails for the bodies it is told, and records every batch."""

    def __init__(self) -> None:
        self.batches: list[list[Json]] = []
        self.failing: set[str] = set()
        self.broken = False

    def __call__(self, event: Json) -> object:
        self.batches.append(event["Records"])
        if self.broken:
            raise FunctionError("ValueError", "told to fail")
        failed = [record["messageId"] for record in event["Records"] if record["body"] in self.failing]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}

    @property
    def bodies(self) -> list[str]:
        return sorted(record["body"] for batch in self.batches for record in batch)


@pytest.fixture
def consumer() -> FakeConsumer:
    return FakeConsumer()


@pytest.fixture
def source(miniature: Miniature) -> EventSource:
    arn = miniature.clients.sqs.get_queue_attributes(QueueUrl=miniature.id_of("Inbox"), AttributeNames=["QueueArn"])
    return EventSource.of(
        "Mapping",
        {
            "EventSourceArn": arn["Attributes"]["QueueArn"],
            "FunctionName": "Consumer",
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        },
    )


def _publish(miniature: Miniature, body: str, kind: str = "miniature.v1") -> None:
    miniature.clients.sns.publish(
        TopicArn=miniature.id_of("Topic"),
        Message=body,
        MessageAttributes={"type": {"DataType": "String", "StringValue": kind}},
    )


def _make_visible(miniature: Miniature, consumer: FakeConsumer) -> None:
    """Let the messages that failed last come back now instead of after the visibility timeout."""
    for record in consumer.batches[-1]:
        if consumer.broken or record["body"] in consumer.failing:
            miniature.clients.sqs.change_message_visibility(
                QueueUrl=miniature.id_of("Inbox"), ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )


def _waiting(miniature: Miniature, queue: str) -> int:
    """How many messages the queue holds, those in flight included."""
    found = miniature.clients.sqs.get_queue_attributes(QueueUrl=miniature.id_of(queue), AttributeNames=["All"])
    attributes = found["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])


def test_what_succeeds_is_told_and_gone(miniature: Miniature, source: EventSource, consumer: FakeConsumer) -> None:
    told: list[str] = []
    delivery = QueueDelivery(source, miniature.clients, consumer, told.append)
    for number in range(12):
        _publish(miniature, f"{number:02}")
    assert delivery.deliver()
    assert sorted(told) == consumer.bodies == [f"{number:02}" for number in range(12)]
    assert max(map(len, consumer.batches)) == 10
    assert _waiting(miniature, "Inbox") == 0


def test_a_record_has_lambdas_shape(miniature: Miniature, source: EventSource, consumer: FakeConsumer) -> None:
    _publish(miniature, '{"id": "x"}')
    assert QueueDelivery(source, miniature.clients, consumer, lambda _: None).deliver()
    ((record,),) = consumer.batches
    assert record["body"] == '{"id": "x"}'  # raw delivery: no envelope of SNS around it
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "ap-south-1")
    assert record["eventSourceARN"] == source.arn
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["type"]["stringValue"] == "miniature.v1"
    json.dumps(record)


def test_another_type_of_event_does_not_reach_the_queue(miniature: Miniature) -> None:
    _publish(miniature, "other", kind="another.v1")
    assert _waiting(miniature, "Inbox") == 0


def test_what_fails_stays_and_the_rest_goes(miniature: Miniature, source: EventSource, consumer: FakeConsumer) -> None:
    told: list[str] = []
    delivery = QueueDelivery(source, miniature.clients, consumer, told.append)
    consumer.failing = {"bad"}
    for body in ("good", "bad"):
        _publish(miniature, body)
    assert delivery.deliver()
    assert told == ["good"]
    assert _waiting(miniature, "Inbox") == 1
    _make_visible(miniature, consumer)
    consumer.failing = set()
    assert delivery.deliver()
    assert told == ["good", "bad"]
    assert _waiting(miniature, "Inbox") == 0


def test_a_message_that_always_fails_goes_to_the_dead_letters(
    miniature: Miniature, source: EventSource, consumer: FakeConsumer
) -> None:
    delivery = QueueDelivery(source, miniature.clients, consumer, lambda _: None)
    consumer.broken = True
    _publish(miniature, "poison")
    for _ in range(3):  # the queue's maxReceiveCount
        assert delivery.deliver()
        _make_visible(miniature, consumer)
    assert delivery.deliver()
    assert consumer.bodies == ["poison"] * 3
    assert (_waiting(miniature, "Inbox"), _waiting(miniature, "DeadLetters")) == (0, 1)


def test_without_batch_responses_the_batch_is_one(
    miniature: Miniature, source: EventSource, consumer: FakeConsumer
) -> None:
    consumer.failing = {"bad"}
    _publish(miniature, "bad")
    source = replace(source, reports_failures=False)
    assert QueueDelivery(source, miniature.clients, consumer, lambda _: None).deliver()
    assert _waiting(miniature, "Inbox") == 0


def test_a_filter_on_a_queue_is_refused(miniature: Miniature, source: EventSource, consumer: FakeConsumer) -> None:
    source = replace(source, filters=(Pattern.parse('{"body": {"type": ["x"]}}', "Mapping"),))
    with pytest.raises(TemplateError, match="Mapping filters a queue's messages"):
        QueueDelivery(source, miniature.clients, consumer, lambda _: None)
