"""Decrypted tokens that are kept: never too long, never past their end, never in the place of a newer one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from brokerlink.reader import BrokerToken, TokenExpired, TokenNotFound
from brokerlink.reader.cache import OpenedTokens
from brokerlink.reader.rows import Owner, Row
from brokerlink.secret import Secret
from tests.kit.clients import client
from tests.kit.core import Clock
from tests.kit.shelf import ATTEMPT, ENDS, ISSUED, OTHER_ATTEMPT, OWNER, Shelf, event


def decrypts(shelf: Shelf) -> int:
    return len(shelf.kms_wire.made("Decrypt"))


def test_without_it_nothing_is_kept(shelf: Shelf) -> None:
    shelf.put()
    for times in (1, 2):
        shelf.reader.get(event())
        assert decrypts(shelf) == times


def test_kms_is_asked_once_within_the_stated_age(shelf: Shelf) -> None:
    shelf.put()
    reader = shelf.reader_with(cache_seconds=60)
    begun = shelf.clock.now
    first = reader.get(event())
    for age, asked in ((0, 1), (59.9, 1), (60, 2), (119.9, 2), (200, 3)):
        shelf.clock.now = begun + age
        assert reader.get(**OWNER) == first
        assert decrypts(shelf) == asked, age


def test_a_clock_that_is_set_back_does_not_lengthen_a_life(shelf: Shelf) -> None:
    shelf.put()
    reader = shelf.reader_with(cache_seconds=60)
    reader.get(event())
    shelf.clock.now -= 3_600
    reader.get(event())
    assert decrypts(shelf) == 2


def test_it_ends_with_its_token(shelf: Shelf) -> None:
    shelf.put()
    reader = shelf.reader_with(cache_seconds=10**9)
    reader.get(event())
    shelf.clock.now = ENDS
    with pytest.raises(TokenExpired):
        reader.get(event())


def test_a_later_login_takes_its_place_at_once(shelf: Shelf) -> None:
    shelf.put("canary-of-the-first")
    reader = shelf.reader_with(cache_seconds=600)
    assert reader.get(event()).access_token == "canary-of-the-first"
    shelf.put("canary-of-the-second", attempt_id=OTHER_ATTEMPT, issued_at_ms=(ISSUED + 60) * 1000)
    later = event() | {"id": OTHER_ATTEMPT}
    later["data"]["issued_at"] = ISSUED + 60
    # The first one's event, come again, does not bring the first token back either.
    for asked in (later, event()):
        assert reader.get(asked).access_token == "canary-of-the-second"
    assert reader.get(**OWNER).attempt_id == OTHER_ATTEMPT


def test_a_token_that_was_revoked_is_gone_at_once(shelf: Shelf) -> None:
    shelf.put()
    reader = shelf.reader_with(cache_seconds=600)
    reader.get(event())
    key = {"user_id": {"S": "user-1"}, "connection": {"S": "pocketful#YA0002"}}
    client("dynamodb").delete_item(TableName="Tokens", Key=key)
    with pytest.raises(TokenNotFound):
        reader.get(**OWNER)


def test_users_of_one_account_do_not_share(shelf: Shelf) -> None:
    shelf.put("canary-of-one")
    shelf.put("canary-of-another", user_id="user-2")
    reader = shelf.reader_with(cache_seconds=600)
    for _ in range(2):
        assert reader.get(**OWNER).access_token == "canary-of-one"
        assert reader.get(**OWNER | {"user_id": "user-2"}).access_token == "canary-of-another"
    assert decrypts(shelf) == 2


@pytest.mark.usefixtures("shelf")
def test_an_age_is_not_negative(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="cache_seconds"):
        shelf.reader_with(cache_seconds=-1)


# the cache alone


def row(user: str, ciphertext: bytes = b"1") -> Row:
    owner = Owner(user, "pocketful", "YA0002")
    return Row(owner, ciphertext, "", "bearer", ATTEMPT, ISSUED, ENDS, None)


def test_it_holds_no_more_than_its_bound_and_lets_the_oldest_go() -> None:
    cache = OpenedTokens(60, Clock(), most=2)
    for user in ("a", "b"):
        cache.put(row(user), Secret(user))
    cache.put(row("a", b"2"), Secret("a again"))
    cache.put(row("c"), Secret("c"))
    assert cache.get(row("b")) is None
    assert cache.get(row("a")) is None, "another ciphertext"
    assert cache.get(row("a", b"2")) == Secret("a again")
    assert cache.get(row("c")) == Secret("c")


def test_what_is_too_old_does_not_stay_in_memory() -> None:
    clock = Clock()
    cache = OpenedTokens(60, clock)
    cache.put(row("a"), Secret("a"))
    clock.now += 60
    assert cache.get(row("b")) is None
    assert not cache._opened


def test_many_threads_read_through_one_reader(shelf: Shelf) -> None:
    for number in range(4):
        shelf.put(f"canary-{number}", user_id=f"user-{number}")
    reader = shelf.reader_with(cache_seconds=600)
    together = threading.Barrier(8)

    def read(number: int) -> list[BrokerToken]:
        together.wait()
        return [reader.get(**OWNER | {"user_id": f"user-{(number + turn) % 4}"}) for turn in range(8)]

    with ThreadPoolExecutor(8) as threads:
        found = [token for tokens in threads.map(read, range(8)) for token in tokens]
    assert {(token.user_id, token.access_token) for token in found} == {
        (f"user-{number}", f"canary-{number}") for number in range(4)
    }
