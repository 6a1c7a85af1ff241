"""How a login begins: directly, through a session, or again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from brokerlink.attempts import digest
from brokerlink.begin import (
    Begun,
    DirectLoginsClosed,
    MustNameAccount,
    NothingToRetry,
    NotRetryable,
    NotStartable,
    Prepared,
)
from brokerlink.brokers.base import Link
from brokerlink.brokers.oauth2 import challenge
from brokerlink.errors import Code
from brokerlink.secret import Secret
from brokerlink.storage import StorageError, from_wire
from tests.kit.core import ACCOUNT, CALLBACK_URL, PAISA_ACCOUNT, USER, Core, Trip, core, paisa_answer
from tests.kit.wire import down
from tests.kit.world import APPS

type Start = Callable[[Core], Trip]

BROWSER = Secret("browser")
UNPINNED_APPS = APPS | {"fivepaisa": {"vendor_key": "vendor-key", "allow_unpinned": True}}


@pytest.fixture
def world() -> Iterator[Core]:
    with core() as running:
        yield running


def again(world: Core, trip: Trip, *, attempt_id: str | None = None, browser_key: Secret | None = None) -> object:
    return world.beginning.again(
        trip.broker,
        attempt_id or trip.attempt_id,
        browser_key=browser_key or trip.browser_key,
        redirect_uri=f"{CALLBACK_URL}/{trip.broker.id}",
    )


def prepare(world: Core, broker: str = "pocketful", account: str | None = ACCOUNT) -> Prepared:
    prepared = world.beginning.prepare(
        world.brokers[broker], user_id=USER, account=account, return_to="https://app.example.com/done"
    )
    assert isinstance(prepared, Prepared)
    return prepared


def open_link(world: Core, secret: Secret, broker: str = "pocketful") -> object:
    return world.beginning.through_session(
        world.brokers[broker], secret, browser_key=BROWSER, redirect_uri=f"{CALLBACK_URL}/{broker}"
    )


def rows(world: Core) -> list[dict[str, Any]]:
    return [dict(from_wire(item)) for item in world.dynamodb.scan(TableName="LoginAttempts")["Items"]]


# the attempt that is stored


def test_a_direct_login_stores_a_pending_attempt(world: Core) -> None:
    trip = world.directly()
    row = world.row(trip)
    verifier = row.pop("code_verifier")
    assert row == {
        "attempt_id": digest(trip.state.reveal()),
        "status": "PENDING",
        "broker": "pocketful",
        "browser_hash": digest(trip.browser_key.reveal()),
        "redirect_uri": "https://login.example.com/callback/pocketful",
        "expires_at": world.now + 600,
        "ttl": world.now + 600 + 3600,
    }
    assert len(verifier) == 43


def test_no_row_holds_state_or_browser_key(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)
    stored = str(rows(world))
    assert trip.state.reveal() not in stored
    assert trip.browser_key.reveal() not in stored


def test_what_the_broker_gets_is_what_was_stored(world: Core) -> None:
    begun = world.beginning.directly(
        world.brokers["pocketful"],
        browser_key=world.beginning.new_secret(),
        redirect_uri="https://x.example/callback/pocketful",
        return_to=None,
    )
    assert isinstance(begun, Begun)
    assert isinstance(begun.authorization, Link)
    sent = parse_qs(urlsplit(begun.authorization.url).query)
    (row,) = rows(world)
    assert sent["redirect_uri"] == [row["redirect_uri"]]
    assert digest(sent["state"][0]) == row["attempt_id"] == begun.attempt_id
    assert sent["code_challenge"] == [challenge(Secret(row["code_verifier"]))]
    assert begun.expires_at == row["expires_at"]


def test_a_login_through_a_session_inherits_all_that_it_names(world: Core) -> None:
    row = world.row(world.for_user(account=ACCOUNT))
    assert row["user_id"] == USER
    assert row["expected_account"] == ACCOUNT
    assert row["return_to"] == "https://app.example.com/done"
    assert row["session"].startswith("session#")


def test_a_direct_login_keeps_the_end_that_it_asked_for(world: Core) -> None:
    end = "https://app.example.com/done"
    begun = world.beginning.directly(
        world.brokers["pocketful"], browser_key=BROWSER, redirect_uri="https://x.example", return_to=end
    )
    assert world.row(world.trip(begun, "pocketful", BROWSER))["return_to"] == end


def test_nothing_is_sent_to_the_broker_if_nothing_could_be_stored(world: Core) -> None:
    world.wire.meet("PutItem", down)
    with pytest.raises(StorageError):
        world.directly()


def test_states_are_43_characters_of_256_random_bits(world: Core) -> None:
    beginning = replace(world.beginning, random_bytes=secrets.token_bytes)
    states = {beginning.new_secret().reveal() for _ in range(100_000)}
    assert len(states) == 100_000
    assert all(len(state) == 43 for state in states)


def test_two_restored_copies_of_a_process_make_different_states(world: Core) -> None:
    # Both copies share all that was computed at init; what they draw at run time must differ all the same.
    one, other = (replace(world.beginning, random_bytes=secrets.token_bytes) for _ in range(2))
    assert one.new_secret() != other.new_secret()


def test_a_secret_is_every_random_bit_and_nothing_else(world: Core) -> None:
    asked: list[int] = []

    def random_bytes(size: int) -> bytes:
        asked.append(size)
        return b"\xff" * size

    assert replace(world.beginning, random_bytes=random_bytes).new_secret().reveal() == "_" * 42 + "8"
    assert asked == [32]


# sessions


def test_a_start_url_opened_twice_begins_two_logins(world: Core) -> None:
    prepared = prepare(world)
    first, second = open_link(world, prepared.secret), open_link(world, prepared.secret)
    assert isinstance(first, Begun)
    assert isinstance(second, Begun)
    assert first.attempt_id != second.attempt_id


def test_a_start_url_works_for_ten_minutes(world: Core) -> None:
    prepared = prepare(world)
    assert prepared.expires_at == world.now + 600
    world.clock.now += 599
    assert isinstance(open_link(world, prepared.secret), Begun)
    world.clock.now += 1
    assert open_link(world, prepared.secret) == NotStartable()


def test_a_start_url_stops_working_when_a_login_through_it_has_succeeded(world: Core) -> None:
    prepared = prepare(world)
    first, second = (world.trip(open_link(world, prepared.secret), "pocketful", BROWSER) for _ in range(2))
    world.good_answers()
    world.callback(first)
    assert open_link(world, prepared.secret) == NotStartable()
    # What had begun before may still end well.
    world.good_answers()
    world.callback(second)
    assert world.row(second)["status"] == "SUCCEEDED"


def test_an_unknown_secret_starts_nothing(world: Core) -> None:
    prepare(world)
    assert open_link(world, Secret("unknown")) == NotStartable()


def test_a_session_does_not_start_at_another_broker(world: Core) -> None:
    assert open_link(world, prepare(world).secret, "fivepaisa") == NotStartable()


def test_request_token_injection_unpinned_sessions_of_an_unbound_broker_are_not_prepared(world: Core) -> None:
    refused = world.beginning.prepare(
        world.brokers["fivepaisa"], user_id=USER, account=None, return_to="https://app.example.com/done"
    )
    assert refused == MustNameAccount()
    assert rows(world) == []
    assert isinstance(prepare(world, "fivepaisa", PAISA_ACCOUNT), Prepared)


def test_an_unbound_broker_takes_unpinned_sessions_where_its_app_allows_them() -> None:
    with core(apps=UNPINNED_APPS) as world:
        assert "expected_account" not in world.row(world.for_user("fivepaisa"))


def test_an_unpinned_session_does_not_start_once_the_app_has_stopped_allowing_it() -> None:
    with core(apps=UNPINNED_APPS) as world:
        prepared, trip = prepare(world, "fivepaisa", None), world.for_user("fivepaisa")
        world.brokers["fivepaisa"].allow_unpinned = False
        assert open_link(world, prepared.secret, "fivepaisa") == MustNameAccount()
        assert again(world, trip) == MustNameAccount()


# direct logins


@pytest.mark.parametrize(
    ("accounts", "begins"),
    [
        pytest.param(frozenset(), False, id="none"),
        pytest.param(frozenset({ACCOUNT}), True, id="some"),
        pytest.param(None, True, id="any"),
    ],
)
def test_direct_logins_begin_only_where_some_account_may(accounts: frozenset[str] | None, *, begins: bool) -> None:
    with core(direct_accounts=accounts) as world:
        begun = world.beginning.directly(
            world.brokers["pocketful"], browser_key=Secret("b"), redirect_uri="x", return_to=None
        )
        assert isinstance(begun, Begun) is begins
        assert len(rows(world)) == int(begins)


# again


def test_retry_inherits_user_account_end_and_session(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)
    world.come_back_empty(trip, Code.DENIED)
    begun = again(world, trip)
    assert isinstance(begun, Begun)
    earlier, later = world.row(trip), world.row(replace(trip, attempt_id=begun.attempt_id))
    for name in ("user_id", "expected_account", "return_to", "session", "browser_hash", "broker", "redirect_uri"):
        assert later[name] == earlier[name]
    assert later["status"] == "PENDING"
    assert later["attempt_id"] != earlier["attempt_id"]


def test_retry_of_a_direct_login_inherits_its_end(world: Core) -> None:
    begun = world.beginning.directly(
        world.brokers["pocketful"], browser_key=BROWSER, redirect_uri="x", return_to="https://app.example.com/done"
    )
    trip = world.trip(begun, "pocketful", BROWSER)
    row = world.row(world.trip(again(world, trip), "pocketful", BROWSER))
    assert row["return_to"] == "https://app.example.com/done"
    assert row["redirect_uri"] == f"{CALLBACK_URL}/pocketful"


def test_retry_works_after_the_session_has_run_out(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)
    world.clock.now += 3000
    assert isinstance(again(world, trip), Begun)


def retried_while_pending(world: Core) -> Trip:
    return world.directly()


def retried_after_failure(world: Core) -> Trip:
    trip = world.directly()
    world.come_back_empty(trip)
    return trip


def retried_after_running_out(world: Core) -> Trip:
    trip = world.directly()
    world.clock.now += 601
    return trip


def retried_after_the_tokens_day(world: Core) -> Trip:
    trip = world.directly()
    world.good_answers()
    world.callback(trip)
    world.clock.now += 86_400
    return trip


def retried_after_a_hold_ran_out(world: Core) -> Trip:
    trip = world.hold()
    world.clock.now += 600
    return trip


@pytest.mark.parametrize(
    "start",
    [
        retried_while_pending,
        retried_after_failure,
        retried_after_running_out,
        retried_after_the_tokens_day,
        retried_after_a_hold_ran_out,
    ],
)
def test_retry_begins_anew(world: Core, start: Start) -> None:
    assert isinstance(again(world, start(world)), Begun)


def at_the_broker(world: Core) -> Trip:
    trip = world.directly()
    row = world.others.read(trip.attempt_id)
    assert row is not None
    world.dynamodb.update_item(
        TableName="LoginAttempts",
        Key={"attempt_id": {"S": trip.attempt_id}},
        UpdateExpression="SET #s = :s, claim_expires_at = :u",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "EXCHANGING"}, ":u": {"N": str(world.now + 30)}},
    )
    return trip


def connected(world: Core) -> Trip:
    trip = world.directly()
    world.good_answers()
    world.callback(trip)
    return trip


@pytest.mark.parametrize("start", [at_the_broker, connected, lambda world: world.hold()])
def test_there_is_nothing_to_retry_while_a_login_is_under_way_or_has_ended_well(world: Core, start: Start) -> None:
    trip = start(world)
    assert again(world, trip) == NothingToRetry(trip.attempt_id)


def test_retry_of_what_is_not_this_browsers_is_refused(world: Core) -> None:
    trip = world.directly()
    before = rows(world)
    assert again(world, trip, attempt_id="A" * 43) == NotRetryable()
    assert again(world, trip, browser_key=Secret("other")) == NotRetryable()
    assert again(world, replace(trip, broker=world.brokers["fivepaisa"])) == NotRetryable()
    assert rows(world) == before


def test_retry_of_a_session_row_is_refused(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)
    assert again(world, trip, attempt_id=world.row(trip)["session"]) == NotRetryable()


def test_retry_of_a_direct_login_ends_with_direct_logins(world: Core) -> None:
    trip = world.directly()
    closed = replace(world.beginning, direct_accounts=frozenset())
    assert (
        closed.again(trip.broker, trip.attempt_id, browser_key=trip.browser_key, redirect_uri="x")
        == DirectLoginsClosed()
    )


def test_two_tabs_of_one_browser_finish_in_reverse_order(world: Core) -> None:
    first = world.directly()
    second = world.directly("fivepaisa", browser_key=first.browser_key)
    world.http.line_up(paisa_answer())
    world.callback(second)
    world.good_answers()
    world.callback(first)
    assert {row["account"] for row in world.tokens()} == {ACCOUNT, PAISA_ACCOUNT}
