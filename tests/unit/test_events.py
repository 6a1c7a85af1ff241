"""The event that a stream record becomes: which records are issues, and the fixed contract to the letter."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from brokerlink.events import UnpublishableRecord, is_failure, is_issue, login_failed, token_issued

SCHEMA = json.loads((Path(__file__).parents[2] / "contracts" / "token.issued.v1.schema.json").read_text())
SOURCE = "brokerlink/stack"
ATTEMPT = "rlMjc0WG7IFSbiohUDKEhDgOP5-iFXQ2JkcUXY7UKNk"
IMAGE = {
    "user_id": {"S": "user-1"},
    "connection": {"S": "pocketful#YA0002"},
    "broker": {"S": "pocketful"},
    "account": {"S": "YA0002"},
    "ciphertext": {"B": "Y2FuYXJ5"},
    "scope": {"S": "orders holdings"},
    "token_type": {"S": "bearer"},
    "attempt_id": {"S": ATTEMPT},
    "issued_at_ms": {"N": "1795404600123"},
    "expires_at": {"N": "1795458600"},
    "shard": {"S": "pocketful#06"},
    "app_key": {"S": "canary-app-key"},
}
KEYS = {name: IMAGE[name] for name in ("user_id", "connection")}


def record(name: str = "INSERT", *, new: Any = IMAGE, old: Any = None) -> dict[str, Any]:
    images = {"NewImage": new, "OldImage": old}
    change = {"Keys": KEYS, "SequenceNumber": "1"} | {key: image for key, image in images.items() if image is not None}
    return {"eventID": "1", "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change}


def issued(image: dict[str, Any] = IMAGE) -> Any:
    return json.loads(token_issued(record(new=image), source=SOURCE).message)


def with_(name: str, value: Any) -> dict[str, Any]:
    return IMAGE | {name: value}


# which records are issues


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        pytest.param(record("INSERT"), True, id="a new row"),
        pytest.param(record("MODIFY", old=with_("attempt_id", {"S": "earlier"})), True, id="a later login"),
        pytest.param(record("MODIFY", old=IMAGE), False, id="the same login, written again"),
        pytest.param(
            record("MODIFY", old=with_("expires_at", {"N": "1"})), False, id="another change to the same login's row"
        ),
        pytest.param(
            record("MODIFY", old={name: value for name, value in IMAGE.items() if name != "attempt_id"}),
            True,
            id="a row that had no attempt_id",
        ),
        pytest.param(
            record("REMOVE", new=None, old=IMAGE)
            | {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}},
            False,
            id="removed by TTL",
        ),
        pytest.param(record("REMOVE", new=None, old=IMAGE), False, id="removed by hand"),
        pytest.param({"eventName": "SOMETHING_NEW"}, False, id="an event name of the future"),
        pytest.param({}, False, id="nothing at all"),
    ],
)
def test_an_issue_is_a_new_row_or_another_attempt_id(change: dict[str, Any], *, issue: bool) -> None:
    assert is_issue(change) is issue


# the contract


def test_the_event_is_exactly_the_contracts() -> None:
    assert issued() == {
        "specversion": "1.0",
        "id": ATTEMPT,
        "source": "brokerlink/stack",
        "type": "brokerlink.token.issued.v1",
        "subject": "pocketful/YA0002",
        "time": "2026-11-23T03:30:00.123Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:brokerlink:schema:token.issued.v1",
        "data": {
            "broker": "pocketful",
            "account": "YA0002",
            "user_id": "user-1",
            "scope": "orders holdings",
            "issued_at": 1_795_404_600,
            "expires_at": 1_795_458_600,
        },
    }


def test_message_attributes_are_type_and_broker_and_nothing_else() -> None:
    event = token_issued(record(), source=SOURCE)
    assert event.attributes == {"type": "brokerlink.token.issued.v1", "broker": "pocketful"}


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        with_("user_id", {"S": "pocketful:YA0002"}),
        with_("scope", {"S": ""}),
        with_("later_attribute", {"M": {"a": {"NULL": True}}}),
        {name: value for name, value in IMAGE.items() if name != "app_key"},
    ],
)
def test_every_event_is_valid_by_the_published_schema(image: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    validator = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    validator.validate(issued(image))
    assert SCHEMA["$id"] == issued(image)["dataschema"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda event: event.pop("id"),
        lambda event: event["data"].pop("user_id"),
        lambda event: event.update(time="yesterday"),
        lambda event: event.update(type="brokerlink.token.issued.v2"),
        lambda event: event["data"].update(expires_at="1795458600"),
        lambda event: event["data"].update(user_id="user 1"),
    ],
)
def test_the_schema_refuses_what_is_not_the_contract(spoil: Any) -> None:
    event = copy.deepcopy(issued())
    spoil(event)
    assert not Draft202012Validator(SCHEMA, format_checker=FormatChecker()).is_valid(event)


def test_no_event_holds_token_ciphertext_or_key() -> None:
    message = token_issued(record(), source=SOURCE).message
    assert "canary" not in message
    assert "Y2FuYXJ5" not in message


def test_an_event_stays_far_below_what_sns_takes() -> None:
    widest = with_("user_id", {"S": "u" * 128}) | {"account": {"S": "A" * 64}, "scope": {"S": "s" * 65_536}}
    assert len(token_issued(record(new=widest), source=SOURCE).message) < 128 * 1024


def test_the_same_record_delivered_twice_is_the_same_event() -> None:
    assert token_issued(record(), source=SOURCE) == token_issued(record(), source=SOURCE)


@pytest.mark.parametrize(
    ("milliseconds", "time", "seconds"),
    [
        ("1795404600000", "2026-11-23T03:30:00.000Z", 1_795_404_600),
        ("1795404600999", "2026-11-23T03:30:00.999Z", 1_795_404_600),
        ("9999999999999", "2286-11-20T17:46:39.999Z", 9_999_999_999),
    ],
)
def test_times_are_utc_to_the_millisecond_and_whole_seconds_in_data(milliseconds: str, time: str, seconds: int) -> None:
    event = issued(with_("issued_at_ms", {"N": milliseconds}))
    assert (event["time"], event["data"]["issued_at"]) == (time, seconds)


# records that can never be published


@pytest.mark.parametrize("name", ["attempt_id", "broker", "account", "user_id", "scope", "issued_at_ms", "expires_at"])
def test_poison_a_missing_attribute_is_named(name: str) -> None:
    poison = {each: value for each, value in IMAGE.items() if each != name}
    with pytest.raises(UnpublishableRecord, match=name):
        token_issued(record(new=poison), source=SOURCE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("scope", {"N": "7"}, id="a number for a text"),
        pytest.param("scope", {"S": None}, id="no text in a text"),
        pytest.param("scope", {"SS": ["canary"]}, id="a set"),
        pytest.param("scope", {}, id="nothing"),
        pytest.param("issued_at_ms", {"S": "canary"}, id="a text for a number"),
        pytest.param("issued_at_ms", {"N": "canary"}, id="a number that is none"),
        pytest.param("issued_at_ms", {"N": "1.5"}, id="a fraction"),
        pytest.param("issued_at_ms", {"N": "-1"}, id="negative"),
        pytest.param("issued_at_ms", {"N": "1E+13"}, id="an exponent"),
        pytest.param("issued_at_ms", {"N": ""}, id="empty"),
        pytest.param("issued_at_ms", {"N": "٣"}, id="digits of another script"),
        pytest.param("issued_at_ms", {"N": "10000000000000"}, id="past the year 2286"),
        pytest.param("issued_at_ms", {"N": "999999999999999"}, id="past every calendar"),
        pytest.param("issued_at_ms", {"N": "9" * 400}, id="absurd"),
        pytest.param("expires_at", {"N": 7}, id="a number as a number"),
    ],
)
def test_poison_a_malformed_attribute_is_named_and_not_quoted(name: str, value: Any) -> None:
    with pytest.raises(UnpublishableRecord, match=name) as raised:
        token_issued(record(new=with_(name, value)), source=SOURCE)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("change", [{"eventName": "INSERT"}, record("INSERT", new=None)])
def test_poison_a_record_without_an_image(change: dict[str, Any]) -> None:
    with pytest.raises(UnpublishableRecord):
        token_issued(change, source=SOURCE)


# logins that failed

FAILURE = {
    "attempt_id": {"S": ATTEMPT},
    "status": {"S": "FAILED"},
    "broker": {"S": "pocketful"},
    "browser_hash": {"S": "canary-browser"},
    "redirect_uri": {"S": "https://canary.example/callback/pocketful"},
    "session": {"S": "session#canary"},
    "user_id": {"S": "user-1"},
    "error": {"S": "denied"},
    "failed_step": {"S": "callback"},
    "failed_by": {"S": "canary-name"},
}


def failure(image: Any = FAILURE, *, at: Any = 1795404601, old: Any = None, name: str = "MODIFY") -> dict[str, Any]:
    images = {"NewImage": image} if old is None else {"NewImage": image, "OldImage": old}
    return {"eventName": name, "dynamodb": {"ApproximateCreationDateTime": at, "SequenceNumber": "1", **images}}


@pytest.mark.parametrize(
    ("change", "tells"),
    [
        pytest.param(failure(), True, id="a row that has failed"),
        pytest.param(failure(FAILURE | {"status": {"S": "PENDING"}}), False, id="a row that was given back"),
        pytest.param(failure(FAILURE | {"status": {"S": "SUCCEEDED"}}), False, id="a row that succeeded"),
        pytest.param(failure(old=FAILURE), False, id="a row that had failed before"),
        pytest.param(failure(name="REMOVE"), False, id="removed"),
        pytest.param({"eventName": "MODIFY"}, False, id="no images"),
    ],
)
def test_a_failure_is_a_row_that_has_become_one(change: dict[str, Any], *, tells: bool) -> None:
    assert is_failure(change) is tells


def test_a_failure_is_told_exactly_so() -> None:
    event = login_failed(failure(), source=SOURCE)
    assert json.loads(event.message) == {
        "specversion": "1.0",
        "id": f"{ATTEMPT}.failed",
        "source": SOURCE,
        "type": "brokerlink.login.failed.v1",
        "subject": "pocketful",
        "time": "2026-11-23T03:30:01.000Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:brokerlink:schema:login.failed.v1",
        "data": {
            "broker": "pocketful",
            "code": "denied",
            "step": "callback",
            "user_id": "user-1",
            "failed_at": 1795404601,
        },
    }
    assert event.attributes == {"type": "brokerlink.login.failed.v1", "broker": "pocketful"}


def test_a_failure_says_neither_user_nor_step_that_it_does_not_know() -> None:
    image = {name: value for name, value in FAILURE.items() if name not in {"user_id", "failed_step"}}
    data = json.loads(login_failed(failure(image), source=SOURCE).message)["data"]
    assert data == {"broker": "pocketful", "code": "denied", "failed_at": 1795404601}


@pytest.mark.parametrize("name", ["attempt_id", "broker", "error"])
def test_poison_a_failure_without_an_attribute_names_it(name: str) -> None:
    with pytest.raises(UnpublishableRecord, match=rf"^{name} "):
        login_failed(failure({key: value for key, value in FAILURE.items() if key != name}), source=SOURCE)


@pytest.mark.parametrize("at", [None, "now", True, -1, 10**10, float("nan"), float("inf")])
def test_poison_a_failure_at_no_time(at: Any) -> None:
    with pytest.raises(UnpublishableRecord, match=r"^ApproximateCreationDateTime "):
        login_failed(failure(at=at), source=SOURCE)
