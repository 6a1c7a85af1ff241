"""Many logins of one customer: the newest token stays, each login ends well, and nothing is half there."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from brokerlink.attempts import Attempt, Status, Transition
from tests.engines.race import done, race
from tests.engines.tables import Tables, new_image, record_of, soon

USER = "asha"


def commit(tables: Tables, attempt: Attempt, issued_at_ms: int, *, now: int | None = None) -> Transition:
    return tables.commits.commit(
        attempt,
        record_of(attempt, issued_at_ms=issued_at_ms),
        token=attempt.claimed_by or "",
        now=int(time.time()) if now is None else now,
        deadline=soon(),
    )


def test_of_many_logins_at_once_the_newest_token_stays(tables: Tables) -> None:
    first = int(time.time() * 1000)
    attempts = [tables.claimed(user_id=USER) for _ in range(16)]
    # Neither the order in which they began nor that in which they are told to start says which is the newest.
    attempts = attempts[1::2] + attempts[::2]
    outcomes = race([partial(commit, tables, attempt, first + n) for n, attempt in enumerate(attempts)])
    # All of these customers are connected, also those whose token came too late to be kept.
    assert len(done(outcomes)) == len(attempts)
    assert {tables.attempt(attempt.attempt_id)["status"] for attempt in attempts} == {Status.SUCCEEDED}
    token = tables.token(USER)
    assert token is not None
    assert (token["issued_at_ms"], token["attempt_id"]) == (first + 15, attempts[15].attempt_id)
    issued = [int(new_image(record)["issued_at_ms"]) for record in tables.issues()]
    assert issued == sorted(set(issued))
    assert issued[-1] == first + 15


def test_an_expired_token_never_stands_in_the_way(tables: Tables) -> None:
    now = int(time.time())
    early, late = tables.claimed(user_id=USER), tables.claimed(user_id=USER)
    commit(tables, early, (now + 9) * 1000)  # by a host whose clock was fast
    assert commit(tables, late, now * 1000, now=now + 7200).done
    token = tables.token(USER)
    assert token is not None
    assert token["attempt_id"] == late.attempt_id


def test_two_logins_through_one_session_both_end_well(tables: Tables) -> None:
    for number in range(4):
        session = tables.opened(f"{USER}-{number}")
        attempts = [tables.claimed(user_id=session.user_id, session=session.key) for _ in range(4)]
        first = int(time.time() * 1000)
        outcomes = race([partial(commit, tables, attempt, first + n) for n, attempt in enumerate(attempts)])
        assert len(done(outcomes)) == 4
        row, token = tables.attempt(session.key), tables.token(session.user_id)
        assert token is not None
        assert token["issued_at_ms"] == first + 3
        assert row["status"] == "USED"
        assert int(row["ttl"]) >= int(token["expires_at"])


def test_whoever_sees_a_login_succeeded_finds_its_token(tables: Tables) -> None:
    for number in range(6):
        user = f"{USER}-{number}"
        attempt = tables.claimed(user_id=user)

        def watch(user: str = user, attempt: Attempt = attempt) -> Transition:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                token_first = tables.token(user)
                row = tables.attempts.read(attempt.attempt_id)
                assert row is not None
                # Read in this order the token is never ahead of the attempt, in the other never behind it.
                assert token_first is None or row.status is Status.SUCCEEDED
                if row.status is Status.SUCCEEDED:
                    assert tables.token(user) is not None
                    return Transition(done=False, row=row)
            raise AssertionError("the commit was never seen")

        racers: list[Callable[[], Transition]] = [
            partial(commit, tables, attempt, int(time.time() * 1000)),
            *[watch] * 4,
        ]
        outcomes = race(racers)
        assert len(done(outcomes)) == 1
