"""What a consumer reads: a live token of the event that it was told of, or a clear refusal."""

from __future__ import annotations

import json
import sys
from types import MappingProxyType
from typing import Any

import pytest

from brokerlink.connections import direct_user_id
from brokerlink.reader import BrokerToken, TokenExpired, TokenNotFound, TokenReader
from brokerlink.secret import Secret
from tests.kit.clients import client
from tests.kit.imports import imported_with
from tests.kit.shelf import ATTEMPT, ENDS, ISSUED, OTHER_ATTEMPT, OWNER, Shelf, event


def test_the_token_that_an_event_announced(shelf: Shelf) -> None:
    shelf.put()
    assert shelf.reader.get(event()) == BrokerToken(
        secret=Secret("canary-access-token"),
        **OWNER,
        scope="orders holdings",
        token_type="bearer",
        attempt_id=ATTEMPT,
        issued_at=ISSUED,
        expires_at=ENDS,
        app_key=None,
    )


def test_the_token_by_its_owner(shelf: Shelf) -> None:
    shelf.put()
    assert shelf.reader.get(**OWNER) == shelf.reader.get(event())


def test_the_event_as_the_text_of_an_sns_message(shelf: Shelf) -> None:
    shelf.put()
    assert shelf.reader.get(json.dumps(event())) == shelf.reader.get(event())


def test_unknown_fields_of_a_later_version_are_tolerated(shelf: Shelf) -> None:
    shelf.put()
    later = event() | {"traceparent": "00-abc"}
    later["data"]["market"] = "equity"
    client("dynamodb").update_item(
        TableName="Tokens",
        Key={"user_id": {"S": "user-1"}, "connection": {"S": "pocketful#YA0002"}},
        UpdateExpression="SET markets = :s",
        ExpressionAttributeValues={":s": {"L": []}},
    )
    assert shelf.reader.get(later) == shelf.reader.get(event())


def test_a_direct_logins_token(shelf: Shelf) -> None:
    user_id = direct_user_id("pocketful", "YA0002")
    shelf.put(user_id=user_id)
    assert shelf.reader.get(event(user_id=user_id)).user_id == user_id


def test_what_a_brokers_headers_need_besides_the_token(shelf: Shelf) -> None:
    shelf.put(app_key="vendor-key")
    assert shelf.reader.get(event()).app_key == "vendor-key"


@pytest.mark.parametrize("token", ["é✓", "a b\n", "x" * 4096])
def test_any_token_comes_out_as_it_went_in(shelf: Shelf, token: str) -> None:
    shelf.put(token)
    assert shelf.reader.get(event()).access_token == token


def test_it_reads_consistently(shelf: Shelf) -> None:
    shelf.put()
    shelf.reader.get(event())
    (call,) = shelf.wire.calls
    assert (call.operation, call.json["ConsistentRead"]) == ("GetItem", True)


# by the clock


@pytest.mark.parametrize(
    ("left", "live"),
    [
        pytest.param(50_000, True, id="just issued"),
        pytest.param(2, True, id="two seconds left"),
        pytest.param(1, True, id="one second left"),
        pytest.param(0.999, False, id="within the clocks' skew"),
        pytest.param(0, False, id="at its end"),
        pytest.param(-3600, False, id="past it, not yet removed by TTL"),
    ],
)
def test_a_token_is_live_by_the_clock_not_by_its_presence(shelf: Shelf, left: float, *, live: bool) -> None:
    shelf.put()
    shelf.clock.now = ENDS - left
    if live:
        assert shelf.reader.get(event()).expires_at == ENDS
    else:
        with pytest.raises(TokenExpired):
            shelf.reader.get(event())
        assert shelf.kms_wire.calls == []


# which row an event can mean


@pytest.mark.parametrize(
    ("row", "found"),
    [
        pytest.param({}, True, id="the event's own"),
        pytest.param({"issued_at_ms": 0}, True, id="the event's own, whatever it says of its time"),
        pytest.param({"attempt_id": OTHER_ATTEMPT, "issued_at_ms": (ISSUED + 1) * 1000}, True, id="a second newer"),
        pytest.param({"attempt_id": OTHER_ATTEMPT, "issued_at_ms": (ISSUED + 1) * 1000 - 1}, False, id="same second"),
        pytest.param({"attempt_id": OTHER_ATTEMPT, "issued_at_ms": ISSUED * 1000 - 1}, False, id="older"),
    ],
)
def test_an_event_means_its_own_row_or_a_newer_one(shelf: Shelf, row: dict[str, Any], *, found: bool) -> None:
    shelf.put(**row)
    if found:
        shelf.reader.get(event())
    else:
        with pytest.raises(TokenNotFound):
            shelf.reader.get(event())
        assert shelf.kms_wire.calls == []
    # Without an event, it is the row that counts.
    shelf.reader.get(**OWNER)


@pytest.mark.parametrize("other", [{"user_id": "user-2"}, {"account": "YA0003"}, {"broker": "fivepaisa"}], ids=str)
def test_another_owners_token_is_not_found(shelf: Shelf, other: dict[str, str]) -> None:
    shelf.put()
    with pytest.raises(TokenNotFound):
        shelf.reader.get(event(**other))
    with pytest.raises(TokenNotFound):
        shelf.reader.get(**OWNER | other)


# what is asked wrongly, and what AWS refuses


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "canary",
        "[]",
        "null",
        "7",
        "{}",
        '{"data": "canary"}',
        {"data": {}},
        {"id": "x", "data": {**OWNER, "issued_at": "canary"}},
        {"id": "x", "data": {**OWNER, "issued_at": None}},
        {"id": "x", "data": {**OWNER, "issued_at": float("inf")}},
        {"id": "x", "data": {**OWNER}},
        {"data": {**OWNER, "issued_at": 1}},
    ],
    ids=str,
)
def test_what_is_no_event_is_refused_without_quoting_it(shelf: Shelf, asked: Any) -> None:
    with pytest.raises(ValueError, match=r"^this is not a brokerlink event$") as raised:
        shelf.reader.get(asked)
    assert "canary" not in str(raised.value)
    assert shelf.wire.calls == []


@pytest.mark.parametrize("missing", OWNER)
def test_an_owner_has_three_parts(shelf: Shelf, missing: str) -> None:
    with pytest.raises(ValueError, match="user_id, broker and account"):
        shelf.reader.get(**{name: value for name, value in OWNER.items() if name != missing})


def test_an_event_may_be_any_mapping(shelf: Shelf) -> None:
    shelf.put()
    assert shelf.reader.get(MappingProxyType(event())) == shelf.reader.get(event())


def test_messages_name_the_account_and_nothing_secret(shelf: Shelf) -> None:
    shelf.put()
    shelf.clock.now = ENDS
    with pytest.raises(TokenExpired) as raised:
        shelf.reader.get(event())
    assert "pocketful/YA0002" in str(raised.value)
    assert "user-1" not in str(raised.value)


# what it takes to use it


@pytest.mark.usefixtures("shelf")
def test_the_table_is_named_by_argument_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BROKERLINK_TOKENS_TABLE", raising=False)
    with pytest.raises(ValueError, match="BROKERLINK_TOKENS_TABLE"):
        TokenReader()
    monkeypatch.setenv("BROKERLINK_TOKENS_TABLE", "FromEnvironment")
    assert TokenReader()._rows.table == "FromEnvironment"
    assert TokenReader("Named")._rows.table == "Named"


def test_it_imports_nothing_but_boto3_besides_itself() -> None:
    boto3 = imported_with("import boto3, botocore.config")
    reader = imported_with("import brokerlink.reader")
    ours = {name for name in reader if name.partition(".")[0] == "brokerlink"}
    beside = {"brokerlink", "connections", "errors", "login_links", "logs", "secret", "whole"}
    assert {name for name in ours if not name.startswith("brokerlink.reader")} <= {
        "brokerlink",
        *(f"brokerlink.{name}" for name in beside),
    }
    foreign = {name for name in reader - boto3 - ours if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign == set()
    assert not {"requests", "aws_lambda_powertools"} & reader
