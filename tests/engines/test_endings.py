"""A login ends once: whichever write lands first is the truth, and a token is there if and only if it ended well."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from brokerlink.attempts import Attempt, Status, Transition
from brokerlink.confirmation import Confirmation, Confirmed
from brokerlink.errors import Code
from tests.engines.race import done, race
from tests.engines.tables import Tables, record_of, soon, who

ROUNDS = 6
USER = "asha"


def commit(tables: Tables, attempt: Attempt) -> Transition:
    return tables.commits.commit(
        attempt, record_of(attempt), token=attempt.claimed_by or "", now=int(time.time()), deadline=soon()
    )


def fail(tables: Tables, attempt: Attempt) -> Transition:
    return tables.attempts.fail_claimed(attempt.attempt_id, Code.INTERNAL, claimed_by=attempt.claimed_by or "")


def settle(tables: Tables, attempt: Attempt) -> Transition:
    """Meet the claim on a host whose clock says that it has run out."""
    return tables.attempts.settle(attempt, attempt.claim_expires_at or 0)


def hold(tables: Tables, attempt: Attempt) -> Transition:
    record = record_of(attempt)
    kept = replace(
        attempt,
        status=Status.HELD,
        held_until=int(time.time()) + 600,
        ciphertext=record.ciphertext,
        account=record.account,
        issued_at_ms=record.issued_at_ms,
        token_expires_at=record.expires_at,
    )
    return tables.attempts.hold(kept)


def check(tables: Tables, attempt: Attempt, winner: Transition) -> None:
    """Table, token and winner tell the same."""
    row, token = tables.attempt(attempt.attempt_id), tables.token(attempt.user_id or "pocketful:YA0002")
    assert winner.row is not None
    assert row["status"] == winner.row.status
    assert ("ciphertext" in row) is (row["status"] == Status.HELD)
    has_token = token is not None and token["attempt_id"] == attempt.attempt_id
    assert has_token is (row["status"] == Status.SUCCEEDED)


def test_commit_failure_or_run_out_claim(tables: Tables) -> None:
    for number in range(ROUNDS):
        attempt = tables.claimed(user_id=f"{USER}-{number}")
        racers = [commit, *[fail] * 7, *[settle] * 8]
        # Where it stands in the line decides little, but enough that each kind comes to win.
        racers = racers[number * 3 :] + racers[: number * 3]
        (winner,) = done(race([partial(racer, tables, attempt) for racer in racers]))
        check(tables, attempt, winner)


def test_hold_failure_or_run_out_claim(tables: Tables) -> None:
    for number in range(ROUNDS):
        attempt = tables.claimed(user_id=f"{USER}-{number}")
        (winner,) = done(
            race([partial(racer, tables, attempt) for racer in [*[fail] * 3, hold, *[settle] * 3][number:]])
        )
        check(tables, attempt, winner)


def test_a_late_commit_finds_the_failure_and_writes_nothing(tables: Tables) -> None:
    attempt = tables.claimed(user_id=USER)
    failed = fail(tables, attempt)
    late = commit(tables, attempt)
    assert not late.done
    assert late.row is not None
    assert late.row.status is Status.FAILED
    check(tables, attempt, failed)


def test_a_commit_for_an_attempt_that_is_gone_writes_nothing(tables: Tables) -> None:
    attempt = tables.claimed(user_id=USER)
    tables.clients.dynamodb.delete_item(
        TableName=tables.attempts_table.name, Key={"attempt_id": {"S": attempt.attempt_id}}
    )
    assert commit(tables, attempt) == Transition(done=False, row=None)
    assert tables.token(USER) is None
    assert not tables.attempt(attempt.attempt_id)


def test_confirmed_or_dropped_but_not_both(tables: Tables) -> None:
    confirmation = Confirmation(
        attempts=tables.attempts,
        commits=tables.commits,
        clock=time.time,
        new_token=lambda: secrets.token_hex(16),
    )
    for number in range(ROUNDS):
        user = f"{USER}-{number}"
        attempt = tables.held(user)
        confirms = [partial(confirmation.confirm, attempt.attempt_id, user, deadline=soon())] * 8
        # Who else may meet it: a page that finds its time over, a confirmation for somebody else.
        settles = [partial(tables.attempts.settle, attempt, attempt.held_until or 0)] * 2
        others = [partial(confirmation.confirm, attempt.attempt_id, "mallory", deadline=soon())] * 2
        rivals: list[list[Callable[[], object]]] = [[], [*settles], [*others]]
        racers: list[Callable[[], object]] = [*confirms, *rivals[number % 3]]
        outcomes = race(racers)
        confirmed = [outcome for outcome in outcomes if isinstance(outcome, Confirmed)]
        row, token = tables.attempt(attempt.attempt_id), tables.token(user)
        assert "ciphertext" not in row
        if row["status"] == Status.SUCCEEDED:
            assert [outcome.here for outcome in confirmed].count(True) == 1
            assert len(confirmed) == len(confirms)
            assert token is not None
        else:
            assert row["status"] == Status.FAILED
            assert not confirmed
            assert token is None
        # Without a rival it cannot have been dropped.
        assert number % 3 or row["status"] == Status.SUCCEEDED


def test_a_hold_past_its_end_is_not_committed(tables: Tables) -> None:
    """Not even by a host that read it in time: the clock is in the write."""
    held = tables.held(USER)
    assert held.held_until is not None
    late = tables.commits.commit(
        held, record_of(held, issued_at_ms=held.issued_at_ms), token="late", now=held.held_until, deadline=soon()
    )
    assert not late.done
    check(tables, held, late)
    assert tables.attempt(held.attempt_id)["status"] == Status.HELD


def test_after_a_success_nothing_moves_it(tables: Tables) -> None:
    attempt = tables.claimed(user_id=USER)
    winner = commit(tables, attempt)
    again = tables.attempts.claim(who(attempt), claimed_by="later", claim_expires_at=0, now=0)
    assert [again.done, fail(tables, attempt).done, settle(tables, attempt).done] == [False] * 3
    check(tables, attempt, winner)
