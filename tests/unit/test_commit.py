"""Step 5: attempt, token and session in one transaction, whatever becomes of its answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from brokerlink.attempts import Status
from brokerlink.commit import Commits
from brokerlink.errors import Code, Step
from brokerlink.outcomes import Ended, Finished, StillRunning, Unattributable
from brokerlink.storage import Value, to_wire
from tests.kit.core import ACCESS_TOKEN, ACCOUNT, PAISA_ACCOUNT, USER, Core, Trip, core, jwt, paisa_answer
from tests.kit.wire import Fault, after, cancelled, down, lost, pass_through, refused, resent
from tests.kit.world import MIDNIGHT, MORNING

CONFLICT = cancelled("TransactionConflict", "None")
# No AWS call begins in the last three seconds of an answer's time.
LAST_CALL = 3.0


@pytest.fixture
def world() -> Iterator[Core]:
    with core() as running:
        yield running


def finish(world: Core, trip: Trip) -> Finished:
    world.good_answers()
    return world.callback(trip)


def is_connected(world: Core, trip: Trip, finished: Finished) -> bool:
    """Say whether the login ended well here: in the answer and in the row, and the claimant told so."""
    assert isinstance(finished, Ended), finished
    assert finished.attempt.to_item() == world.row(trip)
    assert finished.failure is None
    return finished.here and finished.attempt.status is Status.SUCCEEDED


def store_token(world: Core, **changes: Value) -> dict[str, Value]:
    """Put the token of an earlier login of the same account."""
    row: dict[str, Value] = {
        "user_id": f"pocketful:{ACCOUNT}",
        "connection": f"pocketful#{ACCOUNT}",
        "broker": "pocketful",
        "account": ACCOUNT,
        "ciphertext": b"earlier",
        "scope": "",
        "token_type": "bearer",
        "attempt_id": "earlier",
        "issued_at_ms": MORNING * 1000 - 1,
        "expires_at": MIDNIGHT,
        "shard": "pocketful#00",
    }
    row.update(changes)
    world.dynamodb.put_item(TableName="Tokens", Item=to_wire(row))
    return row


def commits(world: Core) -> list[Any]:
    """Give the bodies of the transactions that went out."""
    return [call.json for call in world.wire.made("TransactWriteItems")]


# what a commit writes


def test_a_direct_login_writes_attempt_and_token(world: Core) -> None:
    trip = world.directly()
    assert is_connected(world, trip, finish(world, trip))
    (token,) = world.tokens()
    ciphertext = token.pop("ciphertext")
    assert token == {
        "user_id": f"pocketful:{ACCOUNT}",
        "connection": f"pocketful#{ACCOUNT}",
        "broker": "pocketful",
        "account": ACCOUNT,
        "scope": "orders holdings",
        "token_type": "bearer",
        "attempt_id": trip.attempt_id,
        "issued_at_ms": MORNING * 1000,
        "expires_at": MIDNIGHT,
        "shard": token["shard"],
    }
    assert ACCESS_TOKEN.encode() not in ciphertext
    row = world.row(trip)
    assert (row["status"], row["account"], row["token_expires_at"]) == ("SUCCEEDED", ACCOUNT, MIDNIGHT)
    assert not {"code_verifier", "ciphertext"} & row.keys()


def test_an_app_key_goes_with_the_token_that_needs_it(world: Core) -> None:
    trip = world.for_user("fivepaisa", account=PAISA_ACCOUNT)
    world.http.line_up(paisa_answer())
    world.callback(trip, jwt({"exp": world.now + 30}))
    (token,) = world.tokens()
    assert token["app_key"] == "vendor-key"
    assert token["user_id"] == USER
    assert token["expires_at"] == MIDNIGHT - 1


def test_success_keeps_the_row_until_the_token_ends(world: Core) -> None:
    trip = world.directly()
    finish(world, trip)
    assert world.row(trip)["ttl"] == MIDNIGHT


def test_success_never_shortens_the_rows_life(world: Core) -> None:
    trip = world.directly()
    ttl = world.row(trip)["ttl"]
    world.good_answers(expires_in=60)
    world.callback(trip)
    assert world.row(trip)["token_expires_at"] == MORNING + 60
    assert world.row(trip)["ttl"] == ttl


def test_the_session_is_used_with_the_commit(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)
    finish(world, trip)
    session = world.session_row(trip)
    assert (session["status"], session["ttl"]) == ("USED", MIDNIGHT)
    assert session["user_id"] == USER


def test_a_session_that_is_gone_does_not_stand_in_the_way_and_is_cleaned_up(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)
    key = world.row(trip)["session"]
    world.dynamodb.delete_item(TableName="LoginAttempts", Key={"attempt_id": {"S": key}})
    assert is_connected(world, trip, finish(world, trip))
    assert world.session_row(trip) == {"attempt_id": key, "status": "USED", "ttl": MIDNIGHT}


def test_a_second_login_through_the_same_session_may_end_well_too(world: Core) -> None:
    first = world.for_user(account=ACCOUNT)
    world.come_back_empty(first, Code.DENIED)
    again = [
        world.beginning.again(
            first.broker, first.attempt_id, browser_key=first.browser_key, redirect_uri="https://x.example/"
        )
        for _ in range(2)
    ]
    for begun in again:
        world.clock.now += 1
        trip = world.trip(begun, "pocketful", first.browser_key)
        assert is_connected(world, trip, finish(world, trip))
    assert len(world.tokens()) == 1


def test_the_commits_token_is_the_claims_name_within_the_api_limit(world: Core) -> None:
    trip = world.directly()
    finish(world, trip)
    (commit,) = commits(world)
    assert commit["ClientRequestToken"] == world.row(trip)["claimed_by"]
    assert len(commit["ClientRequestToken"]) <= 34


def test_a_commit_waits_in_real_time_unless_told_otherwise(world: Core) -> None:
    commits = Commits(world.commits.attempts, world.commits.tokens)
    assert (commits.sleep, commits.monotonic) == (time.sleep, time.monotonic)


# an unclear answer


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([CONFLICT], id="conflict"),
        pytest.param([CONFLICT] * 4, id="four conflicts"),
        pytest.param([down], id="no answer"),
        pytest.param([refused("TransactionInProgressException")], id="in progress"),
        pytest.param([refused("ThrottlingException"), CONFLICT, down], id="one thing after another"),
        pytest.param([cancelled("ThrottlingError", "None")], id="throttled"),
        pytest.param([refused("InternalServerError", status=500)], id="server error"),
    ],
)
def test_an_unclear_commit_is_repeated_byte_for_byte(world: Core, faults: list[Fault]) -> None:
    trip = world.for_user(account=ACCOUNT)
    world.wire.meet("TransactWriteItems", *faults)
    assert is_connected(world, trip, finish(world, trip))
    calls = world.wire.made("TransactWriteItems")
    assert len(calls) == len(faults) + 1
    assert len({call.body for call in calls}) == 1
    assert len(world.tokens()) == 1


def test_repetitions_pause_longer_each_time(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("TransactWriteItems", *[CONFLICT] * 7)
    finish(world, trip)
    assert world.clock.slept == [0.05, 0.1, 0.2, 0.4, 0.8, 0.8, 0.8]


@pytest.mark.parametrize("remembers", [True, False], ids=["token remembered", "token forgotten"])
@pytest.mark.parametrize("fault", [lost, resent], ids=["lost", "sent twice by the SDK"])
def test_a_commit_whose_answer_was_lost_is_a_success_with_one_token(
    world: Core, fault: Fault, *, remembers: bool
) -> None:
    world.wire.remembers_tokens = remembers
    trip = world.for_user(account=ACCOUNT)
    world.wire.meet("TransactWriteItems", fault)
    assert is_connected(world, trip, finish(world, trip))
    assert [token["attempt_id"] for token in world.tokens()] == [trip.attempt_id]


def test_a_commit_whose_every_answer_is_lost_is_read_from_the_row(world: Core) -> None:
    trip = world.directly()
    world.wire.meet_all("TransactWriteItems", lost)
    assert is_connected(world, trip, finish(world, trip))
    assert len(world.tokens()) == 1


@pytest.mark.parametrize(
    "fault", [down, CONFLICT, refused("ThrottlingException")], ids=["down", "conflict", "throttled"]
)
def test_a_commit_that_never_lands_fails_while_the_failure_can_still_be_written(world: Core, fault: Fault) -> None:
    trip = world.directly()
    world.wire.meet_all("TransactWriteItems", fault)
    budget = world.budget()
    finished = finish(world, trip)
    assert isinstance(finished, Ended)
    assert finished.here
    assert finished.failure is not None
    assert (finished.failure.code, finished.failure.step) == (Code.INTERNAL, Step.COMMIT)
    assert world.row(trip)["error"] == "internal"
    assert world.tokens() == []
    assert world.clock.now < budget.answer_by - LAST_CALL


def test_a_late_commit_meets_the_failure_that_was_written_first(world: Core) -> None:
    trip = world.directly()
    world.wire.meet_all("TransactWriteItems", down)
    finish(world, trip)
    # What was given up as lost arrives after all.
    with pytest.raises(ClientError, match="TransactionCanceled"):
        world.dynamodb.transact_write_items(**commits(world)[0])
    assert world.row(trip)["status"] == "FAILED"
    assert world.tokens() == []


def test_a_commit_that_is_refused_for_good_is_not_repeated(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("TransactWriteItems", refused("AccessDeniedException"))
    finished = finish(world, trip)
    assert isinstance(finished, Ended)
    assert world.row(trip)["error"] == "internal"
    assert len(commits(world)) == 1
    assert world.clock.slept == []


def test_no_table_from_the_commit_on_runs_out_with_the_claim(world: Core) -> None:
    trip = world.directly()
    world.wire.meet_all("TransactWriteItems", down)
    world.wire.meet("UpdateItem", pass_through)
    world.wire.meet_all("UpdateItem", down)
    finished = finish(world, trip)
    assert isinstance(finished, StillRunning)
    assert finished.failure is not None
    assert (finished.failure.code, finished.failure.step) == (Code.INTERNAL, Step.COMMIT)
    assert world.row(trip)["status"] == "EXCHANGING"
    world.wire.mend()
    world.clock.now = world.row(trip)["claim_expires_at"]
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.attempt.error == "outcome_unknown"


# rivals


def test_a_claim_that_ran_out_meanwhile_commits_nothing(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)

    def run_out() -> None:
        row = world.others.read(trip.attempt_id)
        assert row is not None
        world.others.settle(row, world.now + 3600)

    world.wire.meet("TransactWriteItems", after(run_out))
    finished = finish(world, trip)
    assert isinstance(finished, Ended)
    assert not finished.here
    assert finished.attempt.error == "outcome_unknown"
    assert world.tokens() == []
    assert world.session_row(trip)["status"] == "OPEN"


def test_a_row_that_is_gone_commits_nothing(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("TransactWriteItems", after(lambda: world.remove(trip)))
    assert finish(world, trip) == Unattributable()
    assert world.row(trip) == {}
    assert world.tokens() == []


@pytest.mark.parametrize("status", ["EXCHANGING", "SUCCEEDED"])
def test_another_claims_attempt_is_not_mine_to_commit(world: Core, status: str) -> None:
    trip = world.directly()

    def take_over() -> None:
        row = world.row(trip) | {"claimed_by": "another", "status": status, "token_expires_at": MIDNIGHT}
        world.dynamodb.put_item(TableName="LoginAttempts", Item=to_wire(row))

    world.wire.meet("TransactWriteItems", after(take_over))
    finished = finish(world, trip)
    assert isinstance(finished, Ended)
    assert not finished.here
    assert (world.row(trip)["status"], world.row(trip)["claimed_by"]) == (status, "another")
    assert world.tokens() == []


# the token's own condition


@pytest.mark.parametrize(
    ("earlier", "replaced"),
    [
        pytest.param({}, True, id="issued a millisecond earlier"),
        pytest.param({"issued_at_ms": MORNING * 1000}, False, id="issued in the same millisecond"),
        pytest.param({"issued_at_ms": MORNING * 1000 + 1}, False, id="issued a millisecond later"),
        pytest.param({"issued_at_ms": MORNING * 1000 + 1, "expires_at": MORNING + 1}, False, id="later and live"),
        pytest.param({"issued_at_ms": MORNING * 1000 + 1, "expires_at": MORNING}, True, id="later but over"),
    ],
)
def test_the_later_login_keeps_the_row_and_both_customers_are_connected(
    world: Core, earlier: dict[str, Any], *, replaced: bool
) -> None:
    stored = store_token(world, **earlier)
    trip = world.directly()
    assert is_connected(world, trip, finish(world, trip))
    (token,) = world.tokens()
    assert token["attempt_id"] == (trip.attempt_id if replaced else "earlier")
    assert replaced or token == stored


def test_a_login_that_came_too_late_for_the_row_still_uses_its_session(world: Core) -> None:
    store_token(world, user_id=USER, issued_at_ms=MORNING * 1000 + 5)
    trip = world.for_user(account=ACCOUNT)
    assert is_connected(world, trip, finish(world, trip))
    assert world.session_row(trip)["status"] == "USED"
    first, second = commits(world)
    assert second["ClientRequestToken"] == f"{first['ClientRequestToken']}-2"
    assert [next(iter(write)) for write in second["TransactItems"]] == ["Update", "Update"]


@pytest.mark.parametrize("fault", [lost, resent, CONFLICT, down])
@pytest.mark.parametrize("remembers", [True, False], ids=["token remembered", "token forgotten"])
def test_the_commit_without_the_row_survives_the_same_faults(world: Core, fault: Fault, *, remembers: bool) -> None:
    world.wire.remembers_tokens = remembers
    store_token(world, issued_at_ms=MORNING * 1000 + 5)
    trip = world.directly()
    world.wire.meet("TransactWriteItems", pass_through, fault)
    assert is_connected(world, trip, finish(world, trip))
    assert [token["attempt_id"] for token in world.tokens()] == ["earlier"]


def test_the_commit_without_the_row_loses_to_a_failure_too(world: Core) -> None:
    store_token(world, issued_at_ms=MORNING * 1000 + 5)
    trip = world.directly()

    def run_out() -> None:
        row = world.others.read(trip.attempt_id)
        assert row is not None
        world.others.settle(row, world.now + 3600)

    world.wire.meet("TransactWriteItems", pass_through, after(run_out))
    finished = finish(world, trip)
    assert isinstance(finished, Ended)
    assert not finished.here
    assert world.row(trip)["error"] == "outcome_unknown"
    # It answers from the row that it met, and writes no failure of its own beside the claim.
    assert len(world.wire.made("UpdateItem")) == 1


def test_another_users_link_to_the_same_account_is_another_row(world: Core) -> None:
    store_token(world, user_id="user-2", issued_at_ms=MORNING * 1000 + 5)
    trip = world.for_user(account=ACCOUNT)
    finish(world, trip)
    assert {token["user_id"] for token in world.tokens()} == {"user-2", USER}
