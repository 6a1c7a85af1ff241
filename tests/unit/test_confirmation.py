"""A held login: only the platform's word about who is present commits it, and only in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from brokerlink.attempts import Status
from brokerlink.confirmation import Confirmed, NotConfirmed
from brokerlink.errors import Code
from brokerlink.outcomes import Ended
from brokerlink.storage import StorageError, Value, to_wire
from tests.kit.core import ACCESS_TOKEN, ACCOUNT, PAISA_ACCOUNT, USER, Core, Trip, core, jwt, paisa_answer
from tests.kit.wire import Fault, after, cancelled, down, lost, refused, resent
from tests.kit.world import APPS, MIDNIGHT, MORNING

CONFLICT = cancelled("TransactionConflict", "None")
WRONG_USERS = ["user-2", "", "USER-1", "user-1 ", "user-10", "benutzer-é", "\u0661", "\ud800", f"pocketful:{ACCOUNT}"]


@pytest.fixture
def world() -> Iterator[Core]:
    with core() as running:
        yield running


def confirm(world: Core, trip: Trip, user_id: str = USER) -> Confirmed | NotConfirmed:
    return world.confirmation.confirm(trip.attempt_id, user_id, deadline=world.clock.now + 25)


def is_over(world: Core, trip: Trip, error: str) -> bool:
    """Say whether the login failed without leaving a token anywhere."""
    row = world.row(trip)
    return (row["status"], row["error"]) == ("FAILED", error) and "ciphertext" not in row and world.tokens() == []


def test_the_right_user_commits_what_was_held(world: Core) -> None:
    trip = world.hold()
    held = world.row(trip)
    world.clock.now += 120
    confirmed = confirm(world, trip)
    assert isinstance(confirmed, Confirmed)
    assert confirmed.here
    row, (token,) = world.row(trip), world.tokens()
    assert confirmed.attempt.to_item() == row
    assert row["status"] == "SUCCEEDED"
    assert (row["account"], row["token_expires_at"], row["ttl"]) == (ACCOUNT, MIDNIGHT, MIDNIGHT)
    assert "ciphertext" not in row
    assert token["ciphertext"] == held["ciphertext"]
    assert token["user_id"] == USER
    assert (token["broker"], token["account"], token["attempt_id"]) == ("pocketful", ACCOUNT, trip.attempt_id)
    assert (token["scope"], token["token_type"]) == ("orders holdings", "bearer")
    assert token["issued_at_ms"] == MORNING * 1000
    assert world.open_token(token) == ACCESS_TOKEN
    assert world.session_row(trip)["status"] == "USED"


def test_repeating_a_confirmation_is_harmless(world: Core) -> None:
    trip = world.hold()
    first = confirm(world, trip)
    tokens = world.tokens()
    second = confirm(world, trip)
    assert isinstance(first, Confirmed)
    assert isinstance(second, Confirmed)
    assert (first.here, second.here) == (True, False)
    assert second.attempt == first.attempt
    assert world.tokens() == tokens


@pytest.mark.parametrize("user_id", WRONG_USERS, ids=ascii)
def test_forwarded_link_another_user_on_the_platform_ends_the_login(world: Core, user_id: str) -> None:
    trip = world.hold()
    refused_ = confirm(world, trip, user_id)
    assert isinstance(refused_, NotConfirmed)
    assert refused_.failed is Code.ACCOUNT_MISMATCH
    assert refused_.attempt is not None
    assert refused_.attempt.attempt_id == trip.attempt_id
    assert is_over(world, trip, "account_mismatch")
    # Nor can the right one bring it back.
    assert confirm(world, trip) == NotConfirmed()


@pytest.mark.parametrize("user_id", WRONG_USERS, ids=ascii)
def test_another_user_changes_nothing_about_a_confirmed_login(world: Core, user_id: str) -> None:
    trip = world.hold()
    confirm(world, trip)
    before = world.row(trip)
    assert confirm(world, trip, user_id) == NotConfirmed()
    assert world.row(trip) == before
    assert len(world.tokens()) == 1


def test_a_confirmation_in_the_last_second_commits(world: Core) -> None:
    trip = world.hold()
    world.clock.now = world.row(trip)["held_until"] - 1
    assert isinstance(confirm(world, trip), Confirmed)


@pytest.mark.parametrize("user_id", [USER, "user-2"], ids=["right user", "wrong user"])
def test_too_late_is_at_the_second(world: Core, user_id: str) -> None:
    trip = world.hold()
    world.clock.now = world.row(trip)["held_until"]
    late = confirm(world, trip, user_id)
    assert isinstance(late, NotConfirmed)
    assert late.failed is Code.EXPIRED
    assert late.attempt is not None
    assert late.attempt.attempt_id == trip.attempt_id
    assert is_over(world, trip, "expired")


def test_a_hold_over_midnight_ends_with_its_token(world: Core) -> None:
    world.clock.now = MIDNIGHT - 300
    trip = world.hold()
    world.clock.now = MIDNIGHT
    assert isinstance(confirm(world, trip), NotConfirmed)
    assert is_over(world, trip, "expired")


def pending(world: Core) -> Trip:
    return world.for_user()


def exchanging(world: Core) -> Trip:
    trip = world.for_user()
    world.crash_after_claim(trip)
    return trip


def declined(world: Core) -> Trip:
    trip = world.for_user()
    world.come_back_empty(trip, Code.DENIED)
    return trip


def succeeded_yesterday(world: Core) -> Trip:
    trip = world.hold()
    confirm(world, trip)
    world.clock.now = MIDNIGHT
    return trip


def direct(world: Core) -> Trip:
    trip = world.directly()
    world.good_answers()
    world.callback(trip)
    return trip


@pytest.mark.parametrize("state", [pending, exchanging, declined, succeeded_yesterday, direct])
@pytest.mark.parametrize("user_id", [USER, "user-2", f"pocketful:{ACCOUNT}"])
def test_what_is_not_held_cannot_be_confirmed_and_is_left_alone(
    world: Core, state: Callable[[Core], Trip], user_id: str
) -> None:
    trip = state(world)
    before = world.row(trip)
    assert confirm(world, trip, user_id) == NotConfirmed()
    assert world.row(trip) == before


def test_a_pinned_login_that_succeeded_answers_its_user_alike(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)
    world.good_answers()
    world.callback(trip)
    confirmed = confirm(world, trip)
    assert isinstance(confirmed, Confirmed)
    assert not confirmed.here
    assert confirm(world, trip, "user-2") == NotConfirmed()


def test_an_unknown_attempt_and_a_sessions_key_are_nothing(world: Core) -> None:
    trip = world.hold()
    assert confirm(world, replace(trip, attempt_id="A" * 43)) == NotConfirmed()
    assert confirm(world, replace(trip, attempt_id=world.row(trip)["session"])) == NotConfirmed()


# races


def test_race_confirmation_against_a_late_callback_that_ends_the_hold(world: Core) -> None:
    trip = world.hold()
    world.wire.meet("TransactWriteItems", after(lambda: world.others.end_hold(trip.attempt_id, Code.EXPIRED)))
    lost_race = confirm(world, trip)
    assert isinstance(lost_race, NotConfirmed)
    assert lost_race.failed is None
    assert lost_race.attempt is not None
    assert lost_race.attempt.to_item() == world.row(trip)
    assert is_over(world, trip, "expired")
    assert world.session_row(trip)["status"] == "OPEN"


def test_race_two_late_confirmations_end_the_hold_once(world: Core) -> None:
    trip = world.hold()
    world.clock.now = world.row(trip)["held_until"]
    world.wire.meet("UpdateItem", after(lambda: world.others.end_hold(trip.attempt_id, Code.EXPIRED)))
    lost_race = confirm(world, trip)
    assert isinstance(lost_race, NotConfirmed)
    assert lost_race.failed is None
    assert is_over(world, trip, "expired")


def test_race_a_hold_that_is_removed_meanwhile_is_nothing_to_confirm(world: Core) -> None:
    trip = world.hold()
    world.wire.meet("TransactWriteItems", after(lambda: world.remove(trip)))
    assert confirm(world, trip) == NotConfirmed()
    assert NotConfirmed().attempt is None
    assert world.tokens() == []


def test_race_the_wrong_user_against_the_right_one_who_is_first(world: Core) -> None:
    trip = world.hold()
    world.wire.meet("UpdateItem", after(lambda: confirm(world, trip)))
    lost_race = confirm(world, trip, "user-2")
    assert isinstance(lost_race, NotConfirmed)
    assert lost_race.failed is None
    assert world.row(trip)["status"] == "SUCCEEDED"
    assert len(world.tokens()) == 1


def test_race_two_confirmations_commit_once(world: Core) -> None:
    trip = world.hold()
    rivals: list[Confirmed | NotConfirmed] = []
    world.wire.meet("TransactWriteItems", after(lambda: rivals.append(confirm(world, trip))))
    mine, (rival,) = confirm(world, trip), rivals
    assert isinstance(mine, Confirmed)
    assert isinstance(rival, Confirmed)
    assert (rival.here, mine.here) == (True, False)
    assert mine.attempt == rival.attempt
    assert len(world.tokens()) == 1


def test_race_a_callback_repeated_by_the_browser_changes_nothing_about_a_hold(world: Core) -> None:
    trip = world.hold()
    before = world.row(trip)
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.attempt.status is Status.HELD
    assert not finished.here
    assert world.row(trip) == before
    assert isinstance(confirm(world, trip), Confirmed)


@pytest.mark.parametrize(
    ("changes", "committed"),
    [
        pytest.param({"held_until": MORNING + 1}, True, id="a second left"),
        pytest.param({"held_until": MORNING}, False, id="run out, at the second"),
        pytest.param({"user_id": "user-2"}, False, id="another user's by now"),
        pytest.param({"status": "FAILED"}, False, id="ended"),
    ],
)
def test_the_commit_itself_requires_hold_user_and_clock(
    world: Core, changes: dict[str, Value], *, committed: bool
) -> None:
    trip = world.hold()

    def change() -> None:
        world.dynamodb.put_item(TableName="LoginAttempts", Item=to_wire(world.row(trip) | changes))

    world.wire.meet("TransactWriteItems", after(change))
    assert isinstance(confirm(world, trip), Confirmed) is committed
    assert len(world.tokens()) == int(committed)


# rows that somebody else has spoilt


def forget(world: Core, trip: Trip, attribute: str) -> None:
    """Take one attribute out of an attempt's row."""
    world.dynamodb.update_item(
        TableName="LoginAttempts",
        Key={"attempt_id": {"S": trip.attempt_id}},
        UpdateExpression="REMOVE #name",
        ExpressionAttributeNames={"#name": attribute},
    )


@pytest.mark.parametrize("missing", ["account", "ciphertext", "issued_at_ms", "token_expires_at"])
def test_a_hold_that_lost_part_of_its_token_commits_nothing(world: Core, missing: str) -> None:
    trip = world.hold()
    forget(world, trip, missing)
    before = world.row(trip)
    with pytest.raises(ValueError, match="keeps no whole token"):
        confirm(world, trip)
    assert world.row(trip) == before
    assert world.tokens() == []


@pytest.mark.parametrize(("missing", "taken_for"), [("scope", ""), ("token_type", "bearer")])
def test_a_hold_that_lost_what_has_a_default_is_stored_with_it(world: Core, missing: str, taken_for: str) -> None:
    trip = world.hold()
    forget(world, trip, missing)
    assert isinstance(confirm(world, trip), Confirmed)
    assert world.tokens()[0][missing] == taken_for


# faults


@pytest.mark.parametrize("fault", [CONFLICT, down, refused("ThrottlingException"), refused("AccessDeniedException")])
def test_a_commit_that_does_not_land_leaves_the_login_held(world: Core, fault: Fault) -> None:
    trip = world.hold()
    before = world.row(trip)
    world.wire.meet_all("TransactWriteItems", fault)
    with pytest.raises(StorageError):
        confirm(world, trip)
    assert world.row(trip) == before
    assert world.tokens() == []
    world.wire.mend()
    assert isinstance(confirm(world, trip), Confirmed)


def test_a_commit_is_not_repeated_past_the_end_of_its_hold(world: Core) -> None:
    trip = world.hold()
    held_until = world.row(trip)["held_until"]
    world.clock.now = held_until - 1
    world.wire.meet_all("TransactWriteItems", CONFLICT)
    with pytest.raises(StorageError):
        confirm(world, trip)
    assert held_until - 1 < world.clock.now < held_until


@pytest.mark.parametrize("fault", [CONFLICT, down, lost, resent])
def test_a_commit_whose_answer_is_unclear_is_repeated_with_its_token(world: Core, fault: Fault) -> None:
    trip = world.hold()
    earlier = len(world.wire.made("TransactWriteItems"))
    world.wire.meet("TransactWriteItems", fault)
    confirmed = confirm(world, trip)
    assert isinstance(confirmed, Confirmed)
    assert confirmed.here
    assert len({call.body for call in world.wire.made("TransactWriteItems")[earlier:]}) == 1
    assert len(world.tokens()) == 1


def test_a_commit_whose_every_answer_was_lost_is_confirmed_by_the_next_call(world: Core) -> None:
    trip = world.hold()
    world.wire.meet_all("TransactWriteItems", lost)
    with pytest.raises(StorageError):
        confirm(world, trip)
    world.wire.mend()
    assert isinstance(confirm(world, trip), Confirmed)
    assert len(world.tokens()) == 1


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_no_table_leaves_the_login_held(world: Core, operation: str) -> None:
    trip = world.hold()
    world.wire.meet(operation, down)
    with pytest.raises(StorageError):
        confirm(world, trip, "user-2")
    assert world.row(trip)["status"] == "HELD"


def test_a_later_login_of_the_same_account_keeps_its_token(world: Core) -> None:
    early = world.hold()
    world.clock.now += 1
    late = world.hold()
    assert isinstance(confirm(world, late), Confirmed)
    assert isinstance(confirm(world, early), Confirmed)
    assert [token["attempt_id"] for token in world.tokens()] == [late.attempt_id]


# 5paisa, where its app allows sessions without an account


def test_request_token_injection_unpinned_5paisa_waits_for_the_platforms_word() -> None:
    with core(apps=APPS | {"fivepaisa": {"vendor_key": "vendor-key", "allow_unpinned": True}}) as world:
        trip = world.for_user("fivepaisa")
        world.http.line_up(paisa_answer())
        world.callback(trip, jwt({"exp": world.now + 30}))
        assert world.row(trip)["status"] == "HELD"
        assert world.tokens() == []
        assert isinstance(confirm(world, trip), Confirmed)
        (token,) = world.tokens()
        assert (token["account"], token["app_key"], token["scope"]) == (PAISA_ACCOUNT, "vendor-key", "")
