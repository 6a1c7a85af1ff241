"""What a row of Links tells: once, in its own event, and nothing that it has not been told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

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
EXPIRING = LINK | {"notice_id": {"S": f"{ATTEMPT}.expiring"}, "notice_at": {"N": "1795455000"}}
REMINDER = LINK | {
    "notice_id": {"S": f"{ATTEMPT}.reminder"},
    "notice_at": {"N": "1795489200"},
    "login_url": {"S": "https://trade.example/brokers/pocketful?user=user-1"},
}
TOLD = {"revoked": REVOKED, "expiring": EXPIRING, "reminder": REMINDER}


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


def test_a_warning_says_when_the_token_ends() -> None:
    event = json.loads(notice(record(EXPIRING), source="s").message)
    assert (event["id"], event["type"]) == (f"{ATTEMPT}.expiring", "brokerlink.token.expiring.v1")
    assert event["time"] == "2026-11-23T17:30:00.000Z"
    assert event["data"] == {
        "broker": "pocketful",
        "account": "YA0002",
        "user_id": "user-1",
        "expires_at": 1795458600,
    }


def test_a_reminder_says_where_to_log_in() -> None:
    event = json.loads(notice(record(REMINDER), source="s").message)
    assert (event["id"], event["type"]) == (f"{ATTEMPT}.reminder", "brokerlink.login.reminder.v1")
    assert event["data"] == {
        "broker": "pocketful",
        "account": "YA0002",
        "user_id": "user-1",
        "connected_until": 1795458600,
        "login_url": "https://trade.example/brokers/pocketful?user=user-1",
    }
    without = {name: value for name, value in REMINDER.items() if name != "login_url"}
    assert "login_url" not in json.loads(notice(record(without), source="s").message)["data"]


@pytest.mark.parametrize("image", [EXPIRING, REMINDER])
@pytest.mark.parametrize("name", ["connected_until", "notice_at"])
@pytest.mark.parametrize("value", [{"S": "tonight"}, {"N": "9" * 11}, {"N": "-1"}, {"N": "1.5"}])
def test_poison_a_time_that_is_none(image: dict[str, Any], name: str, value: dict[str, str]) -> None:
    with pytest.raises(UnpublishableRecord, match=rf"^{name} "):
        notice(record(image | {name: value}), source="s")


def test_a_reminder_alone_is_a_letter_too() -> None:
    letter = notice(record(REMINDER), source="s").letter
    assert letter is not None
    assert letter.subject == "Log in at pocketful again before the market opens"
    assert letter.text == (
        "Your connection to pocketful as YA••02 ended on 24 Nov 2026 at 00:00 IST.\n\n"
        "Please log in again before the market opens: https://trade.example/brokers/pocketful?user=user-1\n\n"
        "On a trading holiday there is nothing to do: holidays are not known here.\n"
    )
    assert notice(record(EXPIRING), source="s").letter is None
    assert notice(record(REVOKED), source="s").letter is None


def test_a_letter_without_a_link_says_so_plainly() -> None:
    without = {name: value for name, value in REMINDER.items() if name != "login_url"}
    letter = notice(record(without), source="s").letter
    assert letter is not None
    assert "before the market opens.\n" in letter.text


def test_a_letters_subject_is_short_for_the_longest_broker_there_is() -> None:
    letter = notice(record(REMINDER | {"broker": {"S": "b" * 32}}), source="s").letter
    assert letter is not None
    assert letter.subject.isascii()
    assert len(letter.subject) <= 100


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


def test_a_reminder_is_an_event_to_programs_and_a_letter_to_a_person(stage: Stage) -> None:
    assert stage.publisher([record(REMINDER)]) == []
    assert stage.heard() == [f"{ATTEMPT}.reminder"]
    (sent,) = stage.sns.made("Publish")
    asked = dict(parse_qsl(sent.body.decode()))
    assert asked["MessageStructure"] == "json"
    assert json.loads(asked["Message"]).keys() == {"default", "email"}
    assert json.loads(asked["Message"])["email"].startswith("Your connection to pocketful as YA••02 ended ")


@pytest.mark.parametrize("strange", [None, "text", [], {"eventSourceARN": 7}, {"eventSourceARN": ARN.format("Links")}])
def test_a_record_that_is_none_holds_up_nobody(stage: Stage, strange: Any) -> None:
    assert stage.publisher([strange, record()]) == []
    assert stage.heard() == [f"{ATTEMPT}.revoked"]


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
