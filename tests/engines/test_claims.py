"""Many callbacks of one login: one of them may take it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from functools import partial

from brokerlink.attempts import Attempt, Identity, Status, Transition
from brokerlink.errors import Code
from brokerlink.storage import ConditionFailed, Conflict
from tests.engines.race import done, race
from tests.engines.tables import Tables, who

ROUNDS = 4


def claim(tables: Tables, identity: Identity, name: str) -> Transition:
    now = int(time.time())
    return tables.attempts.claim(identity, claimed_by=name, claim_expires_at=now + 30, now=now)


def decline(tables: Tables, identity: Identity) -> Transition:
    return tables.attempts.fail_pending(identity, Code.DENIED, now=int(time.time()))


def test_fifty_claims_have_one_winner_whom_all_others_meet(tables: Tables) -> None:
    for _ in range(ROUNDS):
        attempt = tables.begun()
        outcomes = race([partial(claim, tables, who(attempt), f"claim-{n}") for n in range(50)])
        (winner,) = done(outcomes)
        assert winner.row is not None
        met = [outcome.row for outcome in outcomes if isinstance(outcome, Transition)]
        assert {(row.status, row.claimed_by) for row in met if row} == {(Status.EXCHANGING, winner.row.claimed_by)}
        assert None not in met
        assert tables.attempt(attempt.attempt_id)["claimed_by"] == winner.row.claimed_by


def test_forged_claims_never_win_and_burn_nothing(tables: Tables) -> None:
    for _ in range(ROUNDS):
        attempt = tables.begun()
        right = who(attempt)
        forged = [replace(right, browser_hash="another browser's"), replace(right, broker="fivepaisa")]
        identities = [right, *forged] * 10
        outcomes = race([partial(claim, tables, one, f"claim-{n}") for n, one in enumerate(identities)])
        winners = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Transition) and outcome.done]
        assert len(winners) == 1
        assert identities[winners[0]] == right


def test_claim_or_decline_but_not_both(tables: Tables) -> None:
    for _ in range(ROUNDS):
        attempt = tables.begun()
        claims = [partial(claim, tables, who(attempt), f"claim-{n}") for n in range(10)]
        (winner,) = done(race([*claims, *[partial(decline, tables, who(attempt))] * 10]))
        assert winner.row is not None
        assert tables.attempt(attempt.attempt_id)["status"] == winner.row.status


def test_claim_or_expiry_but_not_both(tables: Tables) -> None:
    for _ in range(ROUNDS):
        attempt = tables.begun()
        # Clocks differ between hosts: for one it is just in time, for the other just too late.
        claims = [partial(claim, tables, who(attempt), f"claim-{n}") for n in range(10)]
        settles = [partial(tables.attempts.settle, attempt, attempt.expires_at)] * 10
        (winner,) = done(race([*claims, *settles]))
        assert winner.row is not None
        assert tables.attempt(attempt.attempt_id)["status"] == winner.row.status


def test_a_claim_given_back_is_held_by_one_at_a_time(tables: Tables) -> None:
    attempt = tables.begun()
    holding, most, turns = 0, 0, 0
    counting = threading.Lock()

    def take_turns(name: str) -> None:
        nonlocal holding, most, turns
        for _ in range(12):
            try:
                mine = claim(tables, who(attempt), name).done
            except Conflict:
                continue
            if not mine:
                continue
            with counting:
                holding, turns = holding + 1, turns + 1
                most = max(most, holding)
            with counting:
                holding -= 1
            assert tables.attempts.release(attempt.attempt_id, claimed_by=name).done

    race([partial(take_turns, f"claim-{n}") for n in range(16)])
    assert most == 1
    assert turns > 1
    assert tables.attempt(attempt.attempt_id)["status"] == Status.PENDING


def test_a_repeated_start_is_recognised_and_another_refused(tables: Tables) -> None:
    attempt = tables.begun()
    tables.attempts.begin(attempt)  # the SDK, after a lost answer
    outcomes = race([partial(_begin, tables, replace(attempt, expires_at=attempt.expires_at + n)) for n in range(16)])
    assert outcomes.count(True) == 1
    assert tables.attempt(attempt.attempt_id)["expires_at"] == attempt.expires_at


def _begin(tables: Tables, attempt: Attempt) -> bool:
    try:
        tables.attempts.begin(attempt)
    except ConditionFailed:
        return False
    return True
