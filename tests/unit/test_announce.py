"""The announce function: every issued token is told once it can be, in order, and nothing else is told."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger
from moto import mock_aws

from brokerlink.telemetry import Telemetry
from publish import Publisher
from tests.kit.clients import client, wired
from tests.kit.wire import Fault, down, lost, pass_through, refused, refused_in_xml


def record(number: int, name: str = "INSERT", **image: Any) -> dict[str, Any]:
    """Give the stream record of one customer's token."""
    account = f"YA{number:04}"
    keys = {"user_id": {"S": f"user-{number}"}, "connection": {"S": f"pocketful#{account}"}}
    new = {
        **keys,
        "broker": {"S": "pocketful"},
        "account": {"S": account},
        "ciphertext": {"B": "Y2FuYXJ5"},
        "scope": {"S": "orders"},
        "token_type": {"S": "bearer"},
        "attempt_id": {"S": f"attempt-{number}"},
        "issued_at_ms": {"N": "1795404600123"},
        "expires_at": {"N": "1795458600"},
        "shard": {"S": "pocketful#00"},
    } | image
    return {"eventName": name, "dynamodb": {"Keys": keys, "NewImage": new, "SequenceNumber": f"{number:021}"}}


def poison(number: int) -> dict[str, Any]:
    """Give a record that no retry makes into an event."""
    return record(number, scope={"N": "7"})


def removal(number: int) -> dict[str, Any]:
    change = record(number)["dynamodb"]
    old = change.pop("NewImage")
    return {
        "eventName": "REMOVE",
        "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
        "dynamodb": change | {"OldImage": old},
    }


def again(number: int, *, attempt_id: str) -> dict[str, Any]:
    """Give the record of a row that was written over, where an earlier attempt's token stood before."""
    change = record(number, "MODIFY")
    change["dynamodb"]["OldImage"] = change["dynamodb"]["NewImage"] | {"attempt_id": {"S": attempt_id}}
    return change


class Stage:
    """The function's insides, with a queue that listens to its topic."""

    def __init__(self) -> None:
        sns, self.sns = wired("sns")
        sqs, self.sqs = wired("sqs")
        self.topic = client("sns").create_topic(Name="TokenIssued")["TopicArn"]
        self.listener = client("sqs").create_queue(QueueName="listener")["QueueUrl"]
        self.dead_letters = client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"]
        client("sns").subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint="arn:aws:sqs:ap-south-1:123456789012:listener"
        )
        self.publisher = Publisher(
            sns=sns,
            sqs=sqs,
            topic=self.topic,
            dead_letters=self.dead_letters,
            source="brokerlink/stack",
            telemetry=Telemetry(Logger(service="announce")),
        )

    def heard(self) -> list[str]:
        """Give the ids of the events that subscribers received, in their order."""
        return [json.loads(envelope["Message"])["id"] for envelope in self._received(self.listener)]

    def envelopes(self) -> list[dict[str, Any]]:
        return self._received(self.listener)

    def buried(self) -> list[dict[str, Any]]:
        return self._received(self.dead_letters)

    def _received(self, queue: str) -> list[dict[str, Any]]:
        bodies: list[dict[str, Any]] = []
        while messages := client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@pytest.fixture
def stage() -> Iterator[Stage]:
    with mock_aws():
        yield Stage()


def numbers(*these: int) -> list[str]:
    return [f"{number:021}" for number in these]


# what is told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(record(1), ["attempt-1"], id="a new row"),
        pytest.param(again(1, attempt_id="earlier"), ["attempt-1"], id="a later login over an earlier one"),
        pytest.param(again(1, attempt_id="attempt-1"), [], id="another change of the row"),
        pytest.param(removal(1), [], id="removed by TTL"),
        pytest.param({k: v for k, v in removal(1).items() if k != "userIdentity"}, [], id="removed by hand"),
    ],
)
def test_what_is_announced(stage: Stage, change: dict[str, Any], told: list[str]) -> None:
    assert stage.publisher([change]) == []
    assert stage.heard() == told
    assert stage.buried() == []


def test_a_batch_is_announced_in_its_order(stage: Stage) -> None:
    assert stage.publisher([record(1), removal(2), record(3), again(4, attempt_id="x")]) == []
    assert stage.heard() == ["attempt-1", "attempt-3", "attempt-4"]


def test_an_empty_batch_is_nothing(stage: Stage) -> None:
    assert stage.publisher([]) == []


def test_subscribers_can_filter_by_type_and_broker(stage: Stage) -> None:
    stage.publisher([record(1)])
    (envelope,) = stage.envelopes()
    assert envelope["MessageAttributes"] == {
        "type": {"Type": "String", "Value": "brokerlink.token.issued.v1"},
        "broker": {"Type": "String", "Value": "pocketful"},
    }
    assert "Subject" not in envelope


def test_no_message_holds_the_ciphertext(stage: Stage) -> None:
    stage.publisher([record(1)])
    assert "Y2FuYXJ5" not in str(stage.envelopes())


# SNS is down


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(down, id="no answer"),
        pytest.param(lost, id="answer lost"),
        pytest.param(refused_in_xml("Throttled", status=429), id="throttled"),
        pytest.param(refused_in_xml("InternalError", status=500), id="server error"),
        pytest.param(refused_in_xml("AuthorizationError", status=403), id="not allowed"),
        pytest.param(refused_in_xml("KMSAccessDenied"), id="the topic's key is not ours"),
        pytest.param(refused_in_xml("KMSThrottling"), id="the topic's key is throttled"),
        pytest.param(refused_in_xml("NotFound", status=404), id="no topic"),
        pytest.param(refused_in_xml("SomethingNew"), id="unheard of"),
    ],
)
def test_sns_down_this_record_and_all_after_it_come_again(stage: Stage, fault: Fault) -> None:
    batch = [record(1), record(2), record(3), removal(4)]
    stage.sns.meet("Publish", pass_through, fault)
    assert stage.publisher(batch) == numbers(2, 3, 4)
    assert len(stage.sns.made("Publish")) == 2
    # What comes again is announced then: at least once, in order.
    assert stage.publisher(batch[1:]) == []
    heard = stage.heard()
    assert list(dict.fromkeys(heard)) == ["attempt-1", "attempt-2", "attempt-3"]
    assert len(heard) == (4 if fault is lost else 3)
    assert stage.buried() == []


def test_a_record_delivered_twice_is_the_same_event_twice(stage: Stage) -> None:
    stage.publisher([record(1)])
    stage.publisher([record(1)])
    first, second = (envelope["Message"] for envelope in stage.envelopes())
    assert first == second


# poison


def test_poison_is_buried_as_keys_and_attempt_id_and_the_others_are_delivered(stage: Stage) -> None:
    assert stage.publisher([record(1), poison(2), record(3)]) == []
    assert stage.heard() == ["attempt-1", "attempt-3"]
    assert stage.buried() == [
        {
            "reason": "scope is missing or no text",
            "keys": {"user_id": {"S": "user-2"}, "connection": {"S": "pocketful#YA0002"}},
            "attempt_id": "attempt-2",
        }
    ]


def test_poison_without_an_attempt_id_is_buried_all_the_same(stage: Stage) -> None:
    assert stage.publisher([record(1, attempt_id={"N": "7"})]) == []
    (letter,) = stage.buried()
    assert letter["attempt_id"] is None
    assert letter["keys"]["user_id"] == {"S": "user-1"}


def test_poison_a_time_past_every_calendar_does_not_stop_the_shard(stage: Stage) -> None:
    assert stage.publisher([record(1, issued_at_ms={"N": "999999999999999"}), record(2)]) == []
    assert stage.heard() == ["attempt-2"]
    assert len(stage.buried()) == 1


@pytest.mark.parametrize(
    "code", ["InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError"]
)
def test_poison_a_message_that_sns_will_never_take_is_buried(stage: Stage, code: str) -> None:
    stage.sns.meet("Publish", refused_in_xml(code))
    assert stage.publisher([record(1), record(2)]) == []
    assert stage.heard() == ["attempt-2"]
    (letter,) = stage.buried()
    assert (letter["reason"], letter["attempt_id"]) == (f"SNS answered {code}", "attempt-1")


@pytest.mark.parametrize("fault", [down, refused("AccessDenied", status=403), refused("ThrottlingException")])
def test_poison_that_cannot_be_buried_now_comes_again(stage: Stage, fault: Fault) -> None:
    stage.sqs.meet("SendMessage", fault)
    assert stage.publisher([record(1), poison(2), record(3)]) == numbers(2, 3)
    assert stage.publisher([poison(2), record(3)]) == []
    assert len(stage.buried()) == 1


def test_dead_letters_and_logs_hold_no_ciphertext(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.sns.meet("Publish", refused_in_xml("InvalidParameter"), down)
    stage.publisher([record(1), poison(2), record(3)])
    written = capsys.readouterr()
    assert "Y2FuYXJ5" not in f"{stage.buried()} {written.out} {written.err}"


# telemetry


def counted(output: str) -> list[str]:
    metrics = [json.loads(line)["_aws"]["CloudWatchMetrics"][0] for line in output.splitlines() if "_aws" in line]
    assert all(metric["Namespace"] == "brokerlink" for metric in metrics)
    return [metric["Metrics"][0]["Name"] for metric in metrics]


def test_what_was_announced_buried_and_put_off_is_counted(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.sns.meet("Publish", pass_through, down)
    stage.publisher([record(1), poison(2), record(3), record(4)])
    assert counted(capsys.readouterr().out) == ["announced", "announce_buried", "announce_retried"]


# the function


@pytest.fixture
def environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BROKERLINK_TOPIC", stage.topic)
    monkeypatch.setenv("BROKERLINK_DEAD_LETTERS", stage.dead_letters)
    monkeypatch.setenv("BROKERLINK_SOURCE", "brokerlink/stack")
    monkeypatch.setenv("BROKERLINK_LINKS_TABLE", "Links")
    monkeypatch.setenv("BROKERLINK_ATTEMPTS_TABLE", "LoginAttempts")
    sys.modules.pop("announce", None)
    yield
    sys.modules.pop("announce", None)


@pytest.mark.usefixtures("environment")
def test_the_handler_answers_with_what_has_to_come_again(stage: Stage) -> None:
    handler = importlib.import_module("announce").handler
    assert handler({"Records": [record(1)]}, cast("Any", Context())) == {"batchItemFailures": []}
    assert stage.heard() == ["attempt-1"]
    client("sns").delete_topic(TopicArn=stage.topic)
    answered = handler({"Records": [record(2), record(3)]}, cast("Any", Context()))
    assert answered == {"batchItemFailures": [{"itemIdentifier": number} for number in numbers(2, 3)]}


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    "name", ["BROKERLINK_TOPIC", "BROKERLINK_DEAD_LETTERS", "BROKERLINK_SOURCE", "BROKERLINK_LINKS_TABLE"]
)
def test_the_function_does_not_start_without_its_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(Exception, match=name):
        importlib.import_module("announce")


class Context:
    """Lambda's context object, as far as the logger reads it."""

    function_name = "announce"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-south-1:123456789012:function:announce"
    aws_request_id = "request"
