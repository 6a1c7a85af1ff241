"""All live tokens of a user, and all of a broker: whole, alive, read by key, and one bad row stops nobody."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Any

import pytest
from botocore.exceptions import ClientError

from brokerlink.connections import SHARDS, shard
from brokerlink.reader import TokenUnreadable
from brokerlink.secret import Secret
from brokerlink.tokens import Sealer
from tests.kit.clients import client
from tests.kit.shelf import ENDS, OTHER_ATTEMPT, OWNER, Shelf
from tests.kit.wire import after, refused

USERS = [f"user-{number}" for number in range(8)]


def users_by_shard(shelf: Shelf) -> list[str]:
    """Put a token for each user; give them in the order of the index."""
    sealer = Sealer(client("kms"), shelf.key)
    for user in USERS:
        owner = OWNER | {"user_id": user}
        shelf.put(user_id=user, ciphertext=sealer.seal(Secret(f"canary-of-{user}"), **owner))
    return sorted(USERS, key=lambda user: shard("pocketful", user))


def small_pages(shelf: Shelf) -> None:
    """DynamoDB ends a page at a megabyte; here, after each row."""

    def limited(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = 1

    shelf.dynamodb.meta.events.register("provide-client-params.dynamodb.Query", limited, unique_id="small-pages")


@pytest.fixture(autouse=True)
def _usual_pages(shelf: Shelf) -> Any:
    yield
    shelf.dynamodb.meta.events.unregister("provide-client-params.dynamodb.Query", unique_id="small-pages")


# of a user


def test_all_of_a_user_over_all_brokers(shelf: Shelf) -> None:
    shelf.put()
    shelf.put("canary-2", account="YA0003")
    shelf.put("canary-3", broker="fivepaisa", account="50052770", app_key="vendor-key")
    shelf.put("canary-4", user_id="user-10")
    small_pages(shelf)
    found = {(token.broker, token.account): token.access_token for token in shelf.reader.of_user("user-1")}
    assert found == {
        ("pocketful", "YA0002"): "canary-access-token",
        ("pocketful", "YA0003"): "canary-2",
        ("fivepaisa", "50052770"): "canary-3",
    }
    queries = shelf.wire.made("Query")
    assert len(queries) >= 3
    assert all(call.json["ConsistentRead"] for call in queries)
    assert not shelf.wire.made("GetItem")


def test_nobody_has_none(shelf: Shelf) -> None:
    assert list(shelf.reader.of_user("user-1")) == []
    assert list(shelf.reader.of_broker("pocketful")) == []


def test_of_a_user_the_dead_are_left_out(shelf: Shelf) -> None:
    shelf.put(expires_at=int(shelf.clock.now))
    shelf.put(account="YA0003")
    assert [token.account for token in shelf.reader.of_user("user-1")] == ["YA0003"]


def test_a_row_belongs_to_its_key_whatever_else_it_says(shelf: Shelf) -> None:
    shelf.put()
    client("dynamodb").update_item(
        TableName="Tokens",
        Key={"user_id": {"S": "user-1"}, "connection": {"S": "pocketful#YA0002"}},
        UpdateExpression="SET account = :other, broker = :other",
        ExpressionAttributeValues={":other": {"S": "other"}},
    )
    (token,) = shelf.reader.of_user("user-1")
    assert (token.broker, token.account) == ("pocketful", "YA0002")


# of a broker


def test_all_of_a_broker_from_every_shard_and_page(shelf: Shelf) -> None:
    expected = users_by_shard(shelf)
    shelf.put("canary-elsewhere", broker="fivepaisa", account="50052770", user_id="user-1")
    small_pages(shelf)
    tokens = list(shelf.reader.of_broker("pocketful"))
    assert {token.user_id: token.access_token for token in tokens} == {user: f"canary-of-{user}" for user in USERS}
    assert [shard("pocketful", token.user_id) for token in tokens] == [shard("pocketful", user) for user in expected]
    asked = {call.json["ExpressionAttributeValues"][":shard"]["S"] for call in shelf.wire.made("Query")}
    assert asked == {f"pocketful#{number:02x}" for number in range(SHARDS)}


def test_each_is_read_by_key_when_its_turn_comes(shelf: Shelf) -> None:
    users_by_shard(shelf)
    tokens = shelf.reader.of_broker("pocketful")
    assert not shelf.wire.calls
    list(islice(tokens, 3))
    assert [call.json["ConsistentRead"] for call in shelf.wire.made("GetItem")] == [True] * 3
    assert len(shelf.kms_wire.made("Decrypt")) == 3


def test_what_was_replaced_since_the_index_was_read_comes_as_it_is_now(shelf: Shelf) -> None:
    shelf.put("canary-of-the-first")

    def log_in_again() -> None:
        shelf.put("canary-of-the-second", attempt_id=OTHER_ATTEMPT)

    shelf.wire.meet("GetItem", after(log_in_again))
    (token,) = shelf.reader.of_broker("pocketful")
    assert (token.access_token, token.attempt_id) == ("canary-of-the-second", OTHER_ATTEMPT)


@pytest.mark.parametrize("gone", ["revoked", "ended"])
def test_what_is_gone_since_the_index_was_read_is_left_out(shelf: Shelf, gone: str) -> None:
    shelf.put()

    def end() -> None:
        if gone == "ended":
            shelf.clock.now = ENDS
        else:
            key = {"user_id": {"S": "user-1"}, "connection": {"S": "pocketful#YA0002"}}
            client("dynamodb").delete_item(TableName="Tokens", Key=key)

    shelf.wire.meet("GetItem", after(end))
    assert list(shelf.reader.of_broker("pocketful")) == []


def test_the_dead_are_not_even_asked_for(shelf: Shelf) -> None:
    shelf.put(expires_at=int(shelf.clock.now))
    assert list(shelf.reader.of_broker("pocketful")) == []
    assert not shelf.wire.made("GetItem")


def test_workers_share_the_shards(shelf: Shelf) -> None:
    users_by_shard(shelf)
    parts = [list(shelf.reader.of_broker("pocketful", shards=range(first, SHARDS, 2))) for first in range(2)]
    assert sorted(token.user_id for part in parts for token in part) == sorted(USERS)
    assert all(parts)


def test_the_cache_serves_them_too(shelf: Shelf) -> None:
    shelf.put()
    reader = shelf.reader_with(cache_seconds=60)
    for _ in range(2):
        assert len(list(reader.of_user("user-1"))) == len(list(reader.of_broker("pocketful"))) == 1
    assert len(shelf.kms_wire.made("Decrypt")) == 1


# what cannot be opened


def test_one_that_cannot_be_opened_stops_nobody_and_is_told(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    stolen = shelf.put().ciphertext
    shelf.put(user_id="attacker", ciphertext=stolen)
    told: list[TokenUnreadable] = []
    found = [token.user_id for token in shelf.reader.of_broker("pocketful", unreadable=told.append)]
    assert (found, [error.user_id for error in told]) == (["user-1"], ["attacker"])
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        assert not list(shelf.reader.of_user("attacker"))
    (line,) = caplog.records
    assert line.getMessage().startswith("the token of pocketful/YA0002 cannot be opened: InvalidCiphertext")
    assert "attacker" not in line.getMessage()


def test_a_key_that_opens_none_is_no_empty_list(shelf: Shelf) -> None:
    shelf.put()
    shelf.kms_wire.meet("Decrypt", refused("AccessDeniedException"), refused("DisabledException"))
    for tokens in (shelf.reader.of_broker("pocketful"), shelf.reader.of_user("user-1")):
        with pytest.raises(TokenUnreadable) as raised:
            list(tokens)
        assert raised.value.others_too


def test_what_aws_refuses_ends_the_list(shelf: Shelf) -> None:
    users_by_shard(shelf)
    shelf.wire.meet("Query", refused("ThrottlingException"))
    with pytest.raises(ClientError, match="Throttling"):
        list(shelf.reader.of_broker("pocketful"))
