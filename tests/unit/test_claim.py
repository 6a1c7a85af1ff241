"""What the invocation that holds a claim writes, and what it says where a write brings no answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from brokerlink.attempts import Attempt, Identity, Status, digest
from brokerlink.claim import Claim
from brokerlink.errors import Code, LoginError, Step
from brokerlink.outcomes import Ended, Finished, NothingConsumed, StillRunning
from brokerlink.storage import to_wire
from brokerlink.tokens import TokenRecord
from tests.kit.core import ACCOUNT, USER, Core, Trip, core
from tests.kit.wire import after, down, pass_through, refused
from tests.kit.world import MIDNIGHT, MORNING

DENIED = refused("AccessDeniedException")


@pytest.fixture
def world() -> Iterator[Core]:
    with core() as running:
        yield running


@dataclass(frozen=True)
class Claimed:
    """A login whose grant is spent: its claim, and the token that it brought."""

    world: Core
    trip: Trip
    attempt: Attempt
    record: TokenRecord

    def claim(self, seconds: float = 25.0) -> Claim:
        return Claim(
            attempts=self.world.attempts,
            commits=self.world.commits,
            attempt=self.attempt,
            claimed_by="mine",
            answer_by=self.world.clock.now + seconds,
            sleep=self.world.clock.sleep,
            monotonic=self.world.clock,
        )

    def commit(self, seconds: float = 25.0) -> Finished:
        return self.claim(seconds).commit(self.record, self.world.now)

    def hold(self, seconds: float = 25.0) -> Finished:
        return self.claim(seconds).hold(self.record, self.world.now + 600)


@pytest.fixture
def claimed(world: Core) -> Claimed:
    trip = world.for_user()
    who = Identity(trip.attempt_id, trip.broker.id, digest(trip.browser_key.reveal()))
    attempt = world.others.claim(who, claimed_by="mine", claim_expires_at=world.now + 33, now=world.now).row
    assert attempt is not None
    record = TokenRecord(
        user_id=USER,
        broker=trip.broker.id,
        account=ACCOUNT,
        ciphertext=b"sealed",
        scope="orders",
        token_type="bearer",
        attempt_id=trip.attempt_id,
        issued_at_ms=MORNING * 1000,
        expires_at=MIDNIGHT,
        app_key="app-key",
    )
    return Claimed(world, trip, attempt, record)


type End = Callable[..., Finished]
ENDS = pytest.mark.parametrize(
    ("end", "operation", "step"),
    [
        pytest.param(Claimed.commit, "TransactWriteItems", Step.COMMIT, id="commit"),
        pytest.param(Claimed.hold, "UpdateItem", Step.HOLD, id="hold"),
    ],
)


@ENDS
def test_an_end_that_is_refused_fails_at_its_own_step_and_says_why(
    world: Core, claimed: Claimed, end: End, operation: str, step: Step
) -> None:
    world.wire.meet(operation, DENIED)
    finished = end(claimed)
    assert isinstance(finished, Ended)
    assert finished.here
    assert finished.failure is not None
    assert (finished.failure.code, finished.failure.step) == (Code.INTERNAL, step)
    assert finished.failure.message == f"{operation}: AccessDeniedException"
    row = world.row(claimed.trip)
    assert (row["status"], row["error"]) == ("FAILED", "internal")
    assert row.keys().isdisjoint({"code_verifier", "ciphertext"})
    assert world.tokens() == []


@ENDS
def test_an_end_without_an_answer_is_tried_until_four_seconds_before_the_page_is_due(
    world: Core, claimed: Claimed, end: End, operation: str, step: Step
) -> None:
    # Tries at 0, 0.05 and 0.15 s; the next, 0.2 s later, would be at 4.2 - 4 s or after.
    world.wire.meet(operation, down, down, down)
    finished = end(claimed, 4.2)
    assert isinstance(finished, Ended)
    assert finished.failure is not None
    assert (finished.failure.step, finished.failure.message) == (step, f"{operation}: ReadTimeoutError")
    assert world.clock.slept == [0.05, 0.1]


def test_a_commit_without_the_row_that_meets_a_failure_tells_of_it(world: Core, claimed: Claimed) -> None:
    later = replace(claimed.record, issued_at_ms=MORNING * 1000 + 1)
    world.dynamodb.put_item(TableName="Tokens", Item=to_wire(later.to_item()))
    world.wire.meet(
        "TransactWriteItems", pass_through, after(lambda: world.others.settle(claimed.attempt, world.now + 3600))
    )
    finished = claimed.commit()
    assert isinstance(finished, Ended)
    assert (finished.attempt.error, finished.here) == ("outcome_unknown", False)


def test_a_hold_keeps_the_token_with_the_attempt(world: Core, claimed: Claimed) -> None:
    finished = claimed.hold()
    assert isinstance(finished, Ended)
    assert (finished.attempt.status, finished.here, finished.failure) == (Status.HELD, True, None)
    row = world.row(claimed.trip)
    assert (row["held_until"], row["ciphertext"], row["account"]) == (MORNING + 600, b"sealed", ACCOUNT)
    assert (row["scope"], row["token_type"], row["app_key"]) == ("orders", "bearer", "app-key")
    assert (row["issued_at_ms"], row["token_expires_at"]) == (MORNING * 1000, MIDNIGHT)


def test_a_failure_is_kept_with_the_step_at_which_it_was(world: Core, claimed: Claimed) -> None:
    claimed.claim().fail(LoginError(Code.ACCOUNT_UNKNOWN, Step.IDENTIFY, "nobody"))
    row = world.row(claimed.trip)
    assert (row["error"], row["failed_step"]) == ("account_unknown", "identify")


def test_what_was_given_back_is_named_with_its_failure(world: Core, claimed: Claimed) -> None:
    failure = LoginError(Code.BUSY, Step.EXCHANGE, "no time")
    assert claimed.claim().give_back(failure) == NothingConsumed(claimed.trip.attempt_id, failure)
    assert world.row(claimed.trip)["status"] == "PENDING"


@pytest.mark.parametrize("write", [Claim.fail, Claim.give_back])
def test_what_cannot_be_written_is_named_with_both_failures(
    world: Core, claimed: Claimed, write: Callable[[Claim, LoginError], Finished]
) -> None:
    failure = LoginError(Code.INTERNAL, Step.IDENTIFY, "it broke")
    failure.__cause__ = RuntimeError()
    world.wire.meet("UpdateItem", DENIED)
    finished = write(claimed.claim(), failure)
    assert isinstance(finished, StillRunning)
    assert finished.attempt_id == claimed.trip.attempt_id
    told = finished.failure
    assert told is not None
    assert (told.code, told.step) == (Code.INTERNAL, Step.IDENTIFY)
    assert told.message == "it broke; and that was not written: UpdateItem: AccessDeniedException"
    assert told.__cause__ is failure.__cause__
    assert world.row(claimed.trip)["status"] == "EXCHANGING"
