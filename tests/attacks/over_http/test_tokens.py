"""Tokens after they are stored: moved, mixed up, asked for as another's, or announced by somebody who may not."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from brokerlink.reader import TokenExpired, TokenNotFound, TokenReader, TokenUnreadable
from brokerlink.storage import from_wire, to_wire
from tests.attacks.over_http.scene import ACCOUNT, Scene

OTHER = "YA0003"


@pytest.fixture(scope="module")
def reader(scene: Scene) -> TokenReader:
    clients = scene.stack.clients
    return TokenReader(_table(scene), dynamodb=clients.dynamodb, kms=clients.kms)


@pytest.fixture(scope="module")
def announced(scene: Scene) -> dict[str, Any]:
    """The event of a login of the user `owner`; `namesake` has the same account, `neighbour` another one."""
    for user, account in (("namesake", ACCOUNT), ("neighbour", OTHER)):
        scene.browser().login(scene.session(user_id=user, account=account), account=account).finish()
    owner = scene.browser().login(scene.session(user_id="owner", account=ACCOUNT))
    owner.finish()
    event: dict[str, Any] = scene.stack.received.wait_for(lambda event: event["id"] == owner.attempt_id)
    return event


def test_token_is_read_by_its_owner(reader: TokenReader, announced: dict[str, Any]) -> None:
    assert reader.get(announced).user_id == "owner"


@pytest.mark.usefixtures("announced")
def test_token_of_one_account_is_never_read_as_anothers(reader: TokenReader) -> None:
    mine = reader.get(user_id="owner", broker="pocketful", account=ACCOUNT).access_token
    theirs = reader.get(user_id="neighbour", broker="pocketful", account=OTHER).access_token
    assert mine != theirs
    for user, broker, account in (
        ("owner", "pocketful", OTHER),
        ("neighbour", "pocketful", ACCOUNT),
        ("owner", "fivepaisa", ACCOUNT),
        ("owner", "pocketful", ACCOUNT.lower()),
        ("owner", "pocketful#YA0002", ""),
        ("owner", "", "pocketful#YA0002"),
        ("OWNER", "pocketful", ACCOUNT),
    ):
        with pytest.raises(TokenNotFound):
            reader.get(user_id=user, broker=broker, account=account)


@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("moved", [["ciphertext"], ["ciphertext", "attempt_id"], ["ciphertext", "account", "broker"]])
@pytest.mark.parametrize(("user", "account"), [("neighbour", OTHER), ("namesake", ACCOUNT)])
def test_ciphertext_moved_to_anothers_row_does_not_open(
    scene: Scene, reader: TokenReader, user: str, account: str, moved: list[str]
) -> None:
    theirs, mine = _row(scene, user, account), _row(scene, "owner", ACCOUNT)
    _put(scene, theirs | {name: mine[name] for name in moved})
    with pytest.raises(TokenUnreadable, match="InvalidCiphertext"):
        reader.get(user_id=user, broker="pocketful", account=account)
    _put(scene, theirs)
    assert reader.get(user_id=user, broker="pocketful", account=account).user_id == user


def test_token_kept_past_its_day_is_not_given_out(scene: Scene, reader: TokenReader, announced: dict[str, Any]) -> None:
    row = _row(scene, "owner", ACCOUNT)
    _put(scene, row | {"expires_at": int(time.time())})
    with pytest.raises(TokenExpired):
        reader.get(announced)
    _put(scene, row)


# Events that announce has not made: what is changed of a true one.
FORGED: dict[str, dict[str, Any]] = {
    "another attempt, as of now": {"id": "R" * 43},
    "another user": {"data": {"user_id": "neighbour"}},
    "another user of the same account": {"data": {"user_id": "namesake"}},
    "another account": {"data": {"account": OTHER}},
    "another user's account": {"data": {"user_id": "neighbour", "account": ACCOUNT}},
    "another broker": {"data": {"broker": "fivepaisa"}},
    "a direct login": {"data": {"user_id": f"pocketful:{OTHER}.nobody"}},
    "a later login that never was": {"id": "R" * 43, "data": {"issued_at": 99_999_999_999}},
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_event_opens_no_token(reader: TokenReader, announced: dict[str, Any], name: str) -> None:
    change = FORGED[name]
    forged = {**announced, **change, "data": {**announced["data"], **change.get("data", {})}}
    with pytest.raises(TokenNotFound):
        reader.get(forged)


def test_forged_event_in_the_consumers_queue_is_acted_on_for_nobody(scene: Scene, announced: dict[str, Any]) -> None:
    told = scene.mark("consumer")
    forged = {**announced, "id": "forged-" + "R" * 36, "data": {**announced["data"], "account": OTHER}}
    url = scene.stack.consumer.physical_ids["Inbox"]
    scene.stack.clients.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(forged))
    scene.stack.received.wait_for(lambda event: event["id"] == forged["id"])
    lines = [str(line.get("message")) for line in scene.lines(told, _gone(OTHER), "consumer")]
    assert not [line for line in lines if "logged in until" in line]


def test_message_that_is_no_event_in_the_consumers_queue_stops_nobody_behind_it(scene: Scene) -> None:
    url = scene.stack.consumer.physical_ids["Inbox"]
    for poison in ("not json", "[]", "null", "[" * 5_000, '{"id": "x"}', '{"id": "y", "data": []}'):
        scene.stack.clients.sqs.send_message(QueueUrl=url, MessageBody=poison)
    login = scene.browser().login()
    login.finish()
    assert scene.stack.received.wait_for(lambda event: event["id"] == login.attempt_id)


def _gone(account: str) -> str:
    return f"there is no token to act on: no token of pocketful/{account} for this user"


def _table(scene: Scene) -> str:
    return scene.stack.deployment.outputs["TokensTableName"]


def _row(scene: Scene, user_id: str, account: str) -> dict[str, Any]:
    key = to_wire({"user_id": user_id, "connection": f"pocketful#{account}"})
    return dict(from_wire(scene.stack.clients.dynamodb.get_item(TableName=_table(scene), Key=key)["Item"]))


def _put(scene: Scene, row: dict[str, Any]) -> None:
    scene.stack.clients.dynamodb.put_item(TableName=_table(scene), Item=to_wire(row))
