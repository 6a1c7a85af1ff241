"""Names of brokers, accounts and users, and of the links between them."""

from __future__ import annotations

from collections import Counter

import pytest

from brokerlink.connections import connection, direct_user_id, is_account, is_broker, is_owner, is_user_id, shard


@pytest.mark.parametrize("text", ["a", "z9", "pocketful", "fivepaisa", "a_b", "z" * 32])
def test_a_broker(text: str) -> None:
    assert is_broker(text)


@pytest.mark.parametrize(
    "text",
    ["", "5paisa", "_a", "Pocketful", "pocketFul", "a-b", "a.b", "a:b", "a b", "z" * 33, "a\n", "\u00e9", "a\u0663"],
)
def test_no_broker(text: str) -> None:
    assert not is_broker(text)


@pytest.mark.parametrize(
    "text", ["user-1", "YA0002", "5paisa", "u" * 128, "pocketful:YA0002", "z" * 32 + ":" + "A" * 64]
)
def test_an_owner(text: str) -> None:
    assert is_owner(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user 1",
        "u" * 129,
        ":",
        ":YA0002",
        "pocketful:",
        "Pocketful:YA0002",
        "pocketful:YA 0002",
        "pocketful:YA0002:YA0002",
        f"pocketful:{'A' * 65}",
    ],
)
def test_no_owner(text: str) -> None:
    assert not is_owner(text)


def test_a_direct_login_and_a_platforms_user_never_meet() -> None:
    assert direct_user_id("pocketful", "YA0002") == "pocketful:YA0002"
    assert not is_user_id(direct_user_id("pocketful", "YA0002"))


@pytest.mark.parametrize("text", ["YA0002", "50052770", "a", "a.b_c-d", "A" * 64])
def test_an_account(text: str) -> None:
    assert is_account(text)
    assert is_user_id(text)


@pytest.mark.parametrize(
    "text",
    ["", "A" * 65, "YA 0002", "YA#0002", "YA:0002", "YA/0002", "YA0002\n", "é", "٣", "\x00", "a\ud800"],
    ids=ascii,
)
def test_no_account(text: str) -> None:
    assert not is_account(text)


@pytest.mark.parametrize("text", ["", "u" * 129, "user 1", "user:1", "user#1", "user\n", "é"], ids=ascii)
def test_no_user_id(text: str) -> None:
    assert not is_user_id(text)
    assert is_user_id("u" * 128)


def test_connections_of_two_brokers_or_accounts_never_meet() -> None:
    assert connection("pocketful", "YA0002") == "pocketful#YA0002"
    assert len({connection(broker, account) for broker in ("a", "ab") for account in ("b", "bb")}) == 4


def test_tokens_spread_evenly_over_32_shards_of_their_broker() -> None:
    count = Counter(shard("pocketful", f"user-{number}") for number in range(32_000))
    assert set(count) == {f"pocketful#{number:02x}" for number in range(32)}
    assert max(count.values()) < 2 * min(count.values())


def test_a_users_shard_is_always_the_same_in_every_process() -> None:
    # The SHA-256 of "user-1" begins with c6; the low five bits of that are 06. Python's own hash() would differ.
    assert shard("pocketful", "user-1") == "pocketful#06"
