"""What a row of Links tells: once, in its own event, and nothing that it has not been told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from jsonschema import Draft202012Validator, FormatChecker
from moto import mock_aws

from brokerlink.events import UnpublishableRecord, is_notice, notice
from brokerlink.telemetry import Telemetry
from publish import Publisher
from tests.kit.clients import client, wired
from tests.kit.contract import CONTRACTS
from tests.kit.emulated import letters
from tests.kit.wire import down

ATTEMPT = "rlMjc0WG7IFSbiohUDKEhDgOP5-iFXQ2JkcUXY7UKNk"
ARN = "arn:aws:dynamodb:ap-south-1:123456789012:table/{}/stream/2026-01-01T00:00:00.000"
LINK = {
    "user_id": {"S": "user-1"},
    "connection": {"S": "pocketful#YA0002"},
    "broker": {"S": "pocketful"},
    "account": {"S": "YA0002"},
    "attempt_id": {"S": ATTEMPT},
    "connected_until": {"N": "1795458600"},
    "ttl": {"N": "1796063400"},
}
REVOKED = LINK | {
    "notice_id": {"S": f"{ATTEMPT}.revoked"},
    "notice_at": {"N": "1795407900"},
    "written_by": {"S": "canary"},
}
TOLD = {"revoked": REVOKED}


def record(new: Any = REVOKED, old: Any = None, *, name: str = "", table: str = "Links") -> dict[str, Any]:
    images = {"NewImage": new, "OldImage": old}
    change = {"Keys": {"user_id": LINK["user_id"]}, "SequenceNumber": "1"} | {k: v for k, v in images.items() if v}
    return {
        "eventName": name or ("MODIFY" if old else "INSERT"),
        "eventSourceARN": ARN.format(table),
        "dynamodb": change,
    }


@pytest.mark.parametrize(
    ("change", "tells"),
    [
        pytest.param(record(), True, id="a new row that tells"),
        pytest.param(record(LINK), False, id="a new row that tells nothing"),
        pytest.param(record(REVOKED, LINK), True, id="told of a row that was there"),
        pytest.param(record(REVOKED, REVOKED | {"notice_id": {"S": "x.revoked"}}), True, id="told of the next login"),
        pytest.param(record(REVOKED | {"ttl": {"N": "1"}}, REVOKED), False, id="another change of what was told"),
        pytest.param(record(LINK, REVOKED), False, id="a later login, of which nothing is told"),
        pytest.param(record(None, REVOKED, name="REMOVE"), False, id="removed"),
        pytest.param({}, False, id="no record"),
    ],
)
def test_a_row_tells_what_it_was_not_told_before(change: dict[str, Any], tells: bool) -> None:  # noqa: FBT001 - a column
    assert is_notice(change) is tells


def test_an_end_is_told_exactly_so() -> None:
    event = notice(record(), source="brokerlink/stack")
    assert json.loads(event.message) == {
        "specversion": "1.0",
        "id": f"{ATTEMPT}.revoked",
        "source": "brokerlink/stack",
        "type": "brokerlink.token.revoked.v1",
        "subject": "pocketful/YA0002",
        "time": "2026-11-23T04:25:00.000Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:brokerlink:schema:token.revoked.v1",
        "data": {"broker": "pocketful", "account": "YA0002", "user_id": "user-1", "revoked_at": 1795407900},
    }
    assert event.attributes == {"type": "brokerlink.token.revoked.v1", "broker": "pocketful"}


@pytest.mark.parametrize("image", TOLD.values(), ids=TOLD)
def test_every_event_is_valid_by_its_schema_and_holds_no_more_than_the_row_tells(image: dict[str, Any]) -> None:
    event = json.loads(notice(record(image), source="brokerlink/stack").message)
    file = CONTRACTS / f"{event['type'].removeprefix('brokerlink.')}.schema.json"
    Draft202012Validator(json.loads(file.read_text()), format_checker=FormatChecker()).validate(event)
    assert "canary" not in str(event)


@pytest.mark.parametrize("image", TOLD.values(), ids=TOLD)
@pytest.mark.parametrize("name", ["broker", "account", "user_id", "attempt_id", "notice_id", "notice_at"])
def test_poison_a_missing_attribute_is_named(image: dict[str, Any], name: str) -> None:
    with pytest.raises(UnpublishableRecord, match=rf"^{name} "):
        notice(record({key: value for key, value in image.items() if key != name}), source="s")


@pytest.mark.parametrize("notice_id", [f"{ATTEMPT}.unheard", ATTEMPT, f"other-{ATTEMPT}.revoked", ".revoked"])
def test_poison_a_notice_that_nobody_knows(notice_id: str) -> None:
    with pytest.raises(UnpublishableRecord, match=r"^notice_id "):
        notice(record(REVOKED | {"notice_id": {"S": notice_id}}), source="s")


class Stage:
    """announce's insides, and who listens to its topic."""

    def __init__(self) -> None:
        sns, self.sns = wired("sns")
        topic = client("sns").create_topic(Name="TokenIssued")["TopicArn"]
        self.listener = client("sqs").create_queue(QueueName="listener")["QueueUrl"]
        client("sns").subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint="arn:aws:sqs:ap-south-1:123456789012:listener",
            Attributes={"RawMessageDelivery": "true"},
        )
        self.publisher = Publisher(
            sns=sns,
            sqs=client("sqs"),
            topic=topic,
            dead_letters=client("sqs").create_queue(QueueName="AnnounceDeadLetters")["QueueUrl"],
            source="brokerlink/stack",
            telemetry=Telemetry(Logger(service="announce")),
            links_table="Links",
        )

    def heard(self) -> list[str]:
        messages = client("sqs").receive_message(QueueUrl=self.listener, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["id"] for message in messages]


@pytest.fixture
def stage() -> Iterator[Stage]:
    with mock_aws():
        yield Stage()


def test_announce_publishes_what_links_tell_and_nothing_else_of_them(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    # A link's row is new and has an attempt_id: in Tokens that is the issue of a token.
    assert stage.publisher([record(LINK), record(), record(LINK, REVOKED), record(None, REVOKED, name="REMOVE")]) == []
    assert stage.heard() == [f"{ATTEMPT}.revoked"]
    assert '"noticed"' in capsys.readouterr().out


def test_a_token_tells_no_notice(stage: Stage) -> None:
    """A row of Tokens with whatever else in it is the issue of its token, or nothing."""
    token = REVOKED | {"scope": {"S": ""}, "issued_at_ms": {"N": "1795404600123"}, "expires_at": {"N": "1795458600"}}
    assert stage.publisher([record(token, table="Tokens"), record(token, LINK, table="Tokens")]) == []
    assert stage.heard() == [ATTEMPT]


def test_what_cannot_be_told_now_comes_again_and_what_never_can_is_buried(stage: Stage) -> None:
    stage.sns.meet("Publish", down)
    assert stage.publisher([record()]) == ["1"]
    assert stage.publisher([record(REVOKED | {"notice_at": {"S": "now"}}), record()]) == []
    assert stage.heard() == [f"{ATTEMPT}.revoked"]
    (letter,) = letters()
    assert letter["reason"].startswith("notice_at ")
    assert letter["attempt_id"] == ATTEMPT
