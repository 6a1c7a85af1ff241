"""The state machine of a login attempt: every arrow, its condition, and who wins each race."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from brokerlink.attempts import Attempt, Attempts, Identity, Standing, Status, Transition, digest
from brokerlink.errors import Code
from brokerlink.secret import Secret
from brokerlink.sessions import Session, Sessions, session_key
from brokerlink.storage import Conflict, StorageError, Table, from_wire, to_wire
from tests.kit import emulated
from tests.kit.clients import client, wired
from tests.kit.wire import after, down, lost, refused, resent

NOW = 1_795_404_600
EXPIRES = NOW + 600
ME, RIVAL = "claim-of-mine", "claim-of-another"
BROWSER, OTHER_BROWSER = digest("browser"), digest("other browser")
ID = digest("state")
WHO = Identity(ID, "pocketful", BROWSER)
PENDING = Attempt(
    attempt_id=ID,
    status=Status.PENDING,
    broker="pocketful",
    browser_hash=BROWSER,
    redirect_uri="https://login.example.com/callback/pocketful",
    expires_at=EXPIRES,
    ttl=EXPIRES + 3600,
    user_id="user-1",
    expected_account="YA0002",
    return_to="https://app.example.com/",
    session="session#" + digest("session"),
    code_verifier=Secret("canary-verifier"),
)
EXCHANGING = replace(PENDING, status=Status.EXCHANGING, claimed_by=ME, claim_expires_at=NOW + 30)
TOKEN_END = NOW + 50_000
HELD = replace(
    EXCHANGING,
    status=Status.HELD,
    code_verifier=None,
    held_until=NOW + 600,
    ciphertext=b"sealed",
    scope="orders",
    token_type="bearer",
    issued_at_ms=NOW * 1000,
    app_key="app-key",
    account="YA0002",
    token_expires_at=TOKEN_END,
)
SUCCEEDED = replace(
    EXCHANGING, status=Status.SUCCEEDED, code_verifier=None, account="YA0002", token_expires_at=TOKEN_END
)
FAILED = replace(PENDING, status=Status.FAILED, code_verifier=None, error="denied", failed_by=RIVAL)
STATES = {
    "PENDING": PENDING,
    "EXCHANGING": EXCHANGING,
    "HELD": HELD,
    "SUCCEEDED": SUCCEEDED,
    "FAILED": FAILED,
}


class Rows:
    """The table as the test sees it."""

    def __init__(self) -> None:
        self.dynamodb = client("dynamodb")
        emulated.create_tables()
        dynamodb, self.wire = wired("dynamodb")
        self.table = Table(dynamodb, "LoginAttempts")
        numbers = itertools.count(1)
        self.mine = Attempts(self.table, lambda: f"writer-{next(numbers)}")
        self.others = Attempts(Table(self.dynamodb, "LoginAttempts"))

    def put(self, attempt: Attempt, **more: Any) -> None:
        self.dynamodb.put_item(TableName="LoginAttempts", Item=to_wire(attempt.to_item() | more))

    def get(self, key: str = ID) -> dict[str, Any]:
        answer = self.dynamodb.get_item(TableName="LoginAttempts", Key={"attempt_id": {"S": key}})
        return dict(from_wire(answer.get("Item", {})))

    def claim(self, who: Identity = WHO, *, now: int = NOW, by: str = ME) -> Transition:
        return self.mine.claim(who, claimed_by=by, claim_expires_at=now + 33, now=now)


@pytest.fixture
def rows() -> Iterator[Rows]:
    with mock_aws():
        yield Rows()


def test_attempt_id_is_the_unpadded_base64url_digest_of_the_state() -> None:
    # The second example of FIPS 180-2, appendix B.1, for "abc".
    assert digest("abc") == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"


# the row


def test_states_have_the_names_of_the_contract() -> None:
    assert [str(status) for status in Status] == ["PENDING", "EXCHANGING", "HELD", "SUCCEEDED", "FAILED"]
    assert [str(standing) for standing in Standing] == ["pending", "in_progress", "confirm", "connected", "failed"]


@pytest.mark.parametrize("attempt", STATES.values(), ids=STATES)
def test_a_row_is_read_back_as_it_was_written(rows: Rows, attempt: Attempt) -> None:
    rows.put(attempt)
    assert rows.mine.read(ID) == attempt


def test_begin_writes_a_row_once(rows: Rows) -> None:
    rows.mine.begin(PENDING)
    assert rows.get() == PENDING.to_item()


def test_begin_survives_the_sdks_repetition(rows: Rows) -> None:
    rows.wire.meet("PutItem", resent)
    rows.mine.begin(PENDING)
    assert rows.get() == PENDING.to_item()


def test_what_is_absent_is_not_stored(rows: Rows) -> None:
    rows.mine.begin(PENDING)
    assert not {"claimed_by", "account", "error", "ciphertext", "held_until", "token_expires_at"} & rows.get().keys()


def test_an_attempt_that_is_given_nothing_more_stores_nothing_more() -> None:
    needed = ("attempt_id", "broker", "browser_hash", "redirect_uri", "expires_at", "ttl")
    given = {name: value for name, value in PENDING.to_item().items() if name in needed}
    item = given | {"status": "PENDING"}
    assert Attempt.from_item(item).to_item() == item


def test_attributes_of_a_later_version_are_ignored_and_kept(rows: Rows) -> None:
    rows.put(PENDING, risk_score=7, device="phone")
    assert rows.mine.read(ID) == PENDING
    assert rows.claim().done
    assert rows.get()["risk_score"] == 7


def test_reads_are_consistent(rows: Rows) -> None:
    rows.mine.read(ID)
    assert rows.wire.made("GetItem")[0].json["ConsistentRead"] is True


def test_an_attempt_shows_no_secret() -> None:
    shown = repr(replace(HELD, code_verifier=Secret("canary-verifier"), ciphertext=b"canary-ciphertext"))
    assert "canary" not in shown


# claim


def test_claim_takes_a_pending_attempt(rows: Rows) -> None:
    rows.put(PENDING)
    claim = rows.claim()
    assert claim.done
    assert claim.row == replace(EXCHANGING, claim_expires_at=NOW + 33)
    assert rows.get() == claim.row.to_item()


@pytest.mark.parametrize(
    ("who", "now"),
    [
        pytest.param(Identity(ID, "pocketful", OTHER_BROWSER), NOW, id="forged callback: another browser"),
        pytest.param(Identity(ID, "pocketful", ""), NOW, id="forged callback: no browser"),
        pytest.param(Identity(ID, "fivepaisa", BROWSER), NOW, id="mix-up: another broker"),
        pytest.param(WHO, EXPIRES, id="too late, at the second itself"),
        pytest.param(WHO, EXPIRES + 1, id="too late"),
    ],
)
def test_claim_that_does_not_fit_leaves_the_live_attempt_unharmed(rows: Rows, who: Identity, now: int) -> None:
    rows.put(PENDING)
    claim = rows.claim(who, now=now)
    assert claim == Transition(done=False, row=PENDING)
    assert rows.get() == PENDING.to_item()
    assert rows.claim(now=EXPIRES - 1).done


@pytest.mark.parametrize("state", ["EXCHANGING", "HELD", "SUCCEEDED", "FAILED"])
def test_claim_takes_nothing_but_a_pending_attempt(rows: Rows, state: str) -> None:
    rows.put(STATES[state])
    claim = rows.claim(by=RIVAL)
    assert claim == Transition(done=False, row=STATES[state])
    assert rows.get() == STATES[state].to_item()


def test_claim_of_an_unknown_state_creates_nothing(rows: Rows) -> None:
    assert rows.claim() == Transition(done=False, row=None)
    assert rows.get() == {}


def test_fifty_callbacks_of_one_attempt_claim_it_once(rows: Rows) -> None:
    rows.put(PENDING)
    claims = [rows.claim(by=f"claim-{number}") for number in range(50)]
    assert [claim.done for claim in claims].count(True) == 1
    assert {claim.row.claimed_by for claim in claims if claim.row} == {"claim-0"}


def test_claim_that_a_rival_wins_meanwhile_meets_the_rivals_row(rows: Rows) -> None:
    rows.put(PENDING)
    rows.wire.meet(
        "UpdateItem", after(lambda: rows.others.claim(WHO, claimed_by=RIVAL, claim_expires_at=NOW + 30, now=NOW))
    )
    claim = rows.claim()
    assert not claim.done
    assert claim.row is not None
    assert claim.row.claimed_by == RIVAL


def test_claim_that_the_sdk_sent_twice_is_won(rows: Rows) -> None:
    rows.put(PENDING)
    rows.wire.meet("UpdateItem", resent)
    claim = rows.claim()
    assert claim.done
    assert claim.row is not None
    assert (claim.row.status, claim.row.claimed_by) == (Status.EXCHANGING, ME)


def test_my_name_on_a_row_that_has_moved_on_is_no_claim(rows: Rows) -> None:
    rows.put(SUCCEEDED)
    assert not rows.claim().done


def test_claim_that_meets_a_transaction_is_a_conflict(rows: Rows) -> None:
    rows.put(PENDING)
    rows.wire.meet("UpdateItem", refused("TransactionConflictException"))
    with pytest.raises(Conflict):
        rows.claim()
    assert rows.get() == PENDING.to_item()


def test_session_row_can_never_be_claimed_or_read_as_an_attempt(rows: Rows) -> None:
    secret = Secret("s" * 43)
    sessions = Sessions(rows.table)
    sessions.open(Session(key=session_key(secret), broker="pocketful", user_id="u", expires_at=EXPIRES))
    before = rows.get(session_key(secret))
    who = Identity(session_key(secret), "pocketful", BROWSER)
    assert rows.claim(who) == Transition(done=False, row=None)
    assert rows.mine.fail_pending(who, Code.DENIED, now=NOW) == Transition(done=False, row=None)
    assert rows.mine.read(session_key(secret)) is None
    assert rows.get(session_key(secret)) == before


# release


def test_release_makes_the_attempt_what_it_was(rows: Rows) -> None:
    rows.put(PENDING)
    rows.claim()
    released = rows.mine.release(ID, claimed_by=ME)
    assert released == Transition(done=True, row=PENDING)
    assert rows.get() == PENDING.to_item()
    assert rows.claim(by=RIVAL).done


# What only the claimant may write, by name.
CLAIMANTS_WRITES: dict[str, Callable[[Attempts, str], Transition]] = {
    "release": lambda attempts, me: attempts.release(ID, claimed_by=me),
    "fail": lambda attempts, me: attempts.fail_claimed(ID, Code.BROKER_ERROR, claimed_by=me),
    "hold": lambda attempts, me: attempts.hold(replace(HELD, claimed_by=me)),
}


@pytest.mark.parametrize("write", CLAIMANTS_WRITES.values(), ids=CLAIMANTS_WRITES)
def test_somebody_elses_claim_is_not_mine_to_end(rows: Rows, write: Callable[[Attempts, str], Transition]) -> None:
    rows.put(EXCHANGING)
    assert write(rows.mine, RIVAL) == Transition(done=False, row=EXCHANGING)
    assert rows.get() == EXCHANGING.to_item()


@pytest.mark.parametrize("write", CLAIMANTS_WRITES.values(), ids=CLAIMANTS_WRITES)
@pytest.mark.parametrize("state", ["PENDING", "HELD", "SUCCEEDED", "FAILED"])
def test_the_claimant_changes_nothing_once_the_claim_is_over(
    rows: Rows, write: Callable[[Attempts, str], Transition], state: str
) -> None:
    row = replace(STATES[state], claimed_by=ME)
    rows.put(row)
    assert write(rows.mine, ME) == Transition(done=False, row=row)
    assert rows.get() == row.to_item()


@pytest.mark.parametrize("write", CLAIMANTS_WRITES.values(), ids=CLAIMANTS_WRITES)
def test_a_row_that_is_gone_is_not_created_anew(rows: Rows, write: Callable[[Attempts, str], Transition]) -> None:
    assert write(rows.mine, ME) == Transition(done=False, row=None)
    assert rows.get() == {}


@pytest.mark.parametrize(
    ("write", "status"),
    [("release", "PENDING"), ("fail", "FAILED"), ("hold", "HELD")],
)
def test_the_sdks_repetition_finds_its_own_write(rows: Rows, write: str, status: str) -> None:
    rows.put(EXCHANGING)
    rows.wire.meet("UpdateItem", resent)
    written = CLAIMANTS_WRITES[write](rows.mine, ME)
    assert written.row is not None
    assert written.row.status == rows.get()["status"] == status


# failing


def test_failure_without_a_grant_ends_a_pending_attempt(rows: Rows) -> None:
    rows.put(PENDING)
    failed = rows.mine.fail_pending(WHO, Code.DENIED, now=EXPIRES - 1)
    denied = replace(FAILED, failed_step="callback", failed_by="writer-1")
    assert failed == Transition(done=True, row=denied)
    assert rows.get() == denied.to_item()


@pytest.mark.parametrize(
    ("who", "now"),
    [
        pytest.param(Identity(ID, "pocketful", OTHER_BROWSER), NOW, id="another browser"),
        pytest.param(Identity(ID, "fivepaisa", BROWSER), NOW, id="another broker"),
        pytest.param(WHO, EXPIRES, id="too late"),
    ],
)
def test_forged_refusal_cannot_end_a_live_attempt(rows: Rows, who: Identity, now: int) -> None:
    rows.put(PENDING)
    assert rows.mine.fail_pending(who, Code.DENIED, now=now) == Transition(done=False, row=PENDING)
    assert rows.get() == PENDING.to_item()


@pytest.mark.parametrize("state", ["EXCHANGING", "HELD", "SUCCEEDED", "FAILED"])
def test_refusal_does_not_end_an_attempt_that_is_further(rows: Rows, state: str) -> None:
    rows.put(STATES[state])
    assert not rows.mine.fail_pending(WHO, Code.EXPIRED, now=NOW).done
    assert rows.get() == STATES[state].to_item()


def test_claimants_failure_keeps_when_the_broker_may_be_asked_again(rows: Rows) -> None:
    rows.put(EXCHANGING)
    failed = rows.mine.fail_claimed(ID, Code.BROKER_UNAVAILABLE, claimed_by=ME, retry_at=NOW + 90)
    assert failed.done
    assert rows.get()["error"] == "broker_unavailable"
    assert rows.get()["retry_at"] == NOW + 90


def test_claimants_failure_without_a_wait_stores_none(rows: Rows) -> None:
    rows.put(EXCHANGING)
    rows.mine.fail_claimed(ID, Code.BROKER_ERROR, claimed_by=ME)
    assert "retry_at" not in rows.get()


# Every way to write FAILED, with the attempt that it ends.
FAILURES: dict[str, tuple[Attempt, Callable[[Attempts, str], Transition]]] = {
    "no grant": (PENDING, lambda attempts, _: attempts.fail_pending(WHO, Code.DENIED, now=NOW)),
    "ran out at the broker": (PENDING, lambda attempts, _: attempts.settle(PENDING, EXPIRES)),
    "by the claimant": (EXCHANGING, lambda attempts, me: attempts.fail_claimed(ID, Code.INTERNAL, claimed_by=me)),
    "claim ran out": (EXCHANGING, lambda attempts, _: attempts.settle(EXCHANGING, NOW + 30)),
    "hold ended": (HELD, lambda attempts, _: attempts.end_hold(ID, Code.ACCOUNT_MISMATCH)),
    "hold ran out": (HELD, lambda attempts, _: attempts.settle(HELD, NOW + 600)),
}


@pytest.mark.parametrize(("attempt", "fail"), FAILURES.values(), ids=FAILURES)
def test_a_failure_that_the_sdk_wrote_twice_is_its_writers(
    rows: Rows, attempt: Attempt, fail: Callable[[Attempts, str], Transition]
) -> None:
    rows.put(attempt)
    rows.wire.meet("UpdateItem", resent)
    failed = fail(rows.mine, ME)
    assert failed.done
    assert failed.row is not None
    assert failed.row.to_item() == rows.get()
    assert failed.row.status is Status.FAILED


@pytest.mark.parametrize(("attempt", "fail"), FAILURES.values(), ids=FAILURES)
def test_a_failure_that_another_wrote_first_is_the_others(
    rows: Rows, attempt: Attempt, fail: Callable[[Attempts, str], Transition]
) -> None:
    rows.put(attempt)
    theirs = replace(attempt, status=Status.FAILED, error="outcome_unknown", failed_by=RIVAL)
    rows.wire.meet("UpdateItem", after(lambda: rows.put(theirs)))
    assert fail(rows.mine, ME) == Transition(done=False, row=theirs)


def test_a_failure_that_is_written_again_is_its_writers(rows: Rows) -> None:
    rows.put(EXCHANGING)
    for _ in range(2):
        assert rows.mine.fail_claimed(ID, Code.INTERNAL, claimed_by=ME, failed_by="one failure").done
    assert not rows.mine.fail_claimed(ID, Code.INTERNAL, claimed_by=ME, failed_by="another").done


def test_every_failure_has_a_writer_of_its_own(rows: Rows) -> None:
    attempts = Attempts(rows.table)
    names = set()
    for _ in range(2):
        rows.put(HELD)
        attempts.end_hold(ID, Code.EXPIRED)
        names.add(rows.get()["failed_by"])
    assert len(names) == 2
    # 16 random bytes each.
    assert {len(bytes.fromhex(name)) for name in names} == {16}


# hold


def test_hold_keeps_the_token_and_leaves_the_ttl(rows: Rows) -> None:
    rows.put(EXCHANGING)
    held = rows.mine.hold(replace(HELD, ttl=1))
    assert held == Transition(done=True, row=HELD)
    assert rows.get() == HELD.to_item()


def test_hold_of_an_unclaimed_attempt_is_a_mistake(rows: Rows) -> None:
    with pytest.raises(ValueError, match="claimed"):
        rows.mine.hold(replace(HELD, claimed_by=None))


@pytest.mark.parametrize("code", [Code.EXPIRED, Code.ACCOUNT_MISMATCH])
def test_end_of_a_hold_removes_the_ciphertext(rows: Rows, code: Code) -> None:
    rows.put(HELD)
    ended = rows.mine.end_hold(ID, code)
    assert ended.done
    assert rows.get()["status"] == "FAILED"
    assert rows.get()["error"] == code
    assert "ciphertext" not in rows.get()


@pytest.mark.parametrize("state", ["PENDING", "EXCHANGING", "SUCCEEDED", "FAILED"])
def test_only_a_hold_can_be_ended_as_one(rows: Rows, state: str) -> None:
    rows.put(STATES[state])
    assert rows.mine.end_hold(ID, Code.EXPIRED) == Transition(done=False, row=STATES[state])


# the code verifier


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda mine: mine.fail_claimed(ID, Code.BROKER_ERROR, claimed_by=ME), id="failed"),
        pytest.param(lambda mine: mine.hold(HELD), id="held"),
        pytest.param(lambda mine: mine.settle(EXCHANGING, NOW + 30), id="run out"),
    ],
)
def test_no_code_verifier_is_left_at_an_end(rows: Rows, end: Callable[[Attempts], Transition]) -> None:
    rows.put(EXCHANGING)
    assert "code_verifier" in rows.get()
    assert end(rows.mine).done
    assert "code_verifier" not in rows.get()


# the clock


@pytest.mark.parametrize(
    ("attempt", "now", "standing"),
    [
        pytest.param(PENDING, EXPIRES - 1, (Standing.PENDING, None), id="pending"),
        pytest.param(PENDING, EXPIRES, (Standing.FAILED, Code.EXPIRED), id="pending, at the second"),
        pytest.param(EXCHANGING, NOW + 29, (Standing.IN_PROGRESS, None), id="exchanging"),
        pytest.param(EXCHANGING, NOW + 30, (Standing.FAILED, Code.OUTCOME_UNKNOWN), id="exchanging, at the second"),
        pytest.param(HELD, NOW + 599, (Standing.CONFIRM, None), id="held"),
        pytest.param(HELD, NOW + 600, (Standing.FAILED, Code.EXPIRED), id="held, at the second"),
        pytest.param(SUCCEEDED, TOKEN_END - 1, (Standing.CONNECTED, None), id="succeeded"),
        pytest.param(SUCCEEDED, TOKEN_END, (Standing.FAILED, Code.EXPIRED), id="succeeded, the token's end"),
        pytest.param(FAILED, NOW, (Standing.FAILED, Code.DENIED), id="failed"),
        pytest.param(replace(FAILED, error=None), NOW, (Standing.FAILED, Code.INTERNAL), id="failed, nobody knows why"),
    ],
)
def test_an_attempt_reads_by_the_clock_whether_written_or_not(
    attempt: Attempt, now: int, standing: tuple[Standing, Code | None]
) -> None:
    assert attempt.standing(now) == standing


@pytest.mark.parametrize("now", [0, NOW])
@pytest.mark.parametrize(
    "attempt",
    [
        replace(EXCHANGING, claim_expires_at=None),
        replace(HELD, held_until=None),
        replace(SUCCEEDED, token_expires_at=None),
    ],
    ids=["claim", "hold", "token"],
)
def test_what_has_no_end_has_ended(attempt: Attempt, now: int) -> None:
    assert attempt.standing(now)[0] is Standing.FAILED


@pytest.mark.parametrize(
    ("attempt", "second", "error"),
    [
        pytest.param(PENDING, EXPIRES, "expired", id="pending"),
        pytest.param(EXCHANGING, NOW + 30, "outcome_unknown", id="claim"),
        pytest.param(HELD, NOW + 600, "expired", id="hold"),
    ],
)
def test_settle_writes_what_the_clock_decided_from_the_second_on(
    rows: Rows, attempt: Attempt, second: int, error: str
) -> None:
    rows.put(attempt)
    assert rows.mine.settle(attempt, second - 1) == Transition(done=False, row=attempt)
    assert rows.get() == attempt.to_item()
    settled = rows.mine.settle(attempt, second)
    assert settled.done
    assert settled.row is not None
    assert (settled.row.status, settled.row.error) == (Status.FAILED, error)
    assert rows.get()["error"] == error
    assert not {"ciphertext", "code_verifier"} & rows.get().keys()


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED"])
def test_settle_leaves_what_is_final(rows: Rows, state: str) -> None:
    rows.put(STATES[state])
    assert rows.mine.settle(STATES[state], TOKEN_END + 1) == Transition(done=False, row=STATES[state])
    assert rows.wire.calls == []


@pytest.mark.parametrize(
    ("seen", "meanwhile"),
    [
        pytest.param(EXCHANGING, SUCCEEDED, id="the claimant committed at the last moment"),
        pytest.param(EXCHANGING, replace(EXCHANGING, claimed_by=RIVAL), id="another claim"),
        pytest.param(EXCHANGING, replace(EXCHANGING, claim_expires_at=NOW + 60), id="another deadline"),
        pytest.param(EXCHANGING, PENDING, id="the claimant gave it back"),
        pytest.param(HELD, SUCCEEDED, id="confirmed at the last moment"),
        pytest.param(PENDING, EXCHANGING, id="claimed at the last moment"),
        pytest.param(PENDING, replace(PENDING, expires_at=TOKEN_END + 1), id="another deadline of the attempt"),
    ],
)
def test_settle_decides_only_about_the_row_that_it_saw(rows: Rows, seen: Attempt, meanwhile: Attempt) -> None:
    rows.put(seen)
    rows.wire.meet("UpdateItem", after(lambda: rows.put(meanwhile)))
    assert rows.mine.settle(seen, TOKEN_END) == Transition(done=False, row=meanwhile)
    assert rows.get() == meanwhile.to_item()


def test_settled_twice_is_written_once(rows: Rows) -> None:
    rows.put(EXCHANGING)
    first, second = rows.mine.settle(EXCHANGING, NOW + 30), rows.mine.settle(EXCHANGING, NOW + 30)
    assert (first.done, second.done) == (True, False)
    assert first.row == second.row


@pytest.mark.parametrize("fault", [down, lost, refused("ThrottlingException")], ids=["down", "lost", "throttled"])
@pytest.mark.parametrize("write", CLAIMANTS_WRITES.values(), ids=CLAIMANTS_WRITES)
def test_no_answer_is_a_storage_error(rows: Rows, write: Callable[[Attempts, str], Transition], fault: Any) -> None:
    rows.put(EXCHANGING)
    rows.wire.meet("UpdateItem", fault)
    with pytest.raises(StorageError):
        write(rows.mine, ME)
