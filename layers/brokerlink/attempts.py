"""The LoginAttempts table: every arrow of a login attempt's state machine is one conditional write.

    PENDING ──claim──▶ EXCHANGING ──commit──▶ SUCCEEDED
     ▲   │                │ │  └───hold──▶ HELD ──confirm──▶ SUCCEEDED
     │   │                │ │               └──too late, wrong user──▶ FAILED
     │   │                │ └──failed, claim ran out──▶ FAILED
     └───┼──nothing sent──┘
         └──declined, no grant, expired──▶ FAILED

SUCCEEDED and FAILED are final. `commit` writes the two arrows that end well.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from brokerlink.attempt import Attempt, Standing, Status, digest
from brokerlink.errors import Code, Step
from brokerlink.storage import ConditionFailed, Table, Value

__all__ = ["Attempt", "Attempts", "Identity", "Standing", "Status", "Transition", "digest"]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a callback must show to touch an attempt: the state it names, its broker, and the browser it began in."""

    attempt_id: str
    broker: str
    browser_hash: str


@dataclass(frozen=True, slots=True)
class Transition:
    """What became of a conditional write: whether it was ours that took place, and the row as it now is."""

    done: bool
    row: Attempt | None


_PENDING_OF_THIS_BROWSER: Final = "#status = :pending AND #broker = :broker AND #browser_hash = :browser_hash"
_MINE: Final = "#status = :exchanging AND #claimed_by = :me"
_KEPT_WHILE_HELD: Final = frozenset(
    {"held_until", "ciphertext", "scope", "token_type", "issued_at_ms", "app_key", "account", "token_expires_at"}
)


class Attempts:
    """The LoginAttempts table. Every method may raise `storage.StorageError`, every write `storage.Conflict`.

    `new_name` gives a random text: the name of who writes a failure.
    """

    def __init__(self, table: Table, new_name: Callable[[], str] = lambda: secrets.token_hex(16)) -> None:
        self.table = table
        self.new_name = new_name

    def begin(self, attempt: Attempt) -> None:
        """Write a new attempt."""
        self.table.put_new(attempt.to_item(), "attempt_id")

    def read(self, attempt_id: str) -> Attempt | None:
        """Read an attempt consistently. A session's row is no attempt."""
        item = self.table.get({"attempt_id": attempt_id})
        return Attempt.from_item(item) if item is not None and "browser_hash" in item else None

    def claim(self, who: Identity, *, claimed_by: str, claim_expires_at: int, now: int) -> Transition:
        """Take the attempt for this invocation, if browser, broker and clock fit.

        callback A   ── claim ──▶ EXCHANGING by A ── exchange ── commit
        callback B   ─────── claim ✗ (not PENDING): answers from the row that it met
        forged C     ── claim ✗ (browser differs): PENDING stays PENDING, A can still come
        A's own SDK  ── claim, answer lost, claim again ✗, but the row says claimed_by A: A has won
        """
        done = self._write(
            who.attempt_id,
            "SET #status = :exchanging, #claimed_by = :me, #claim_expires_at = :until",
            f"{_PENDING_OF_THIS_BROWSER} AND #expires_at > :now",
            _identity(who)
            | {":exchanging": Status.EXCHANGING, ":me": claimed_by, ":until": claim_expires_at, ":now": now},
        )
        row = done.row
        won_before = row is not None and row.status is Status.EXCHANGING and row.claimed_by == claimed_by
        return replace(done, done=done.done or won_before)

    def release(self, attempt_id: str, *, claimed_by: str) -> Transition:
        """Give a claim back: the grant was not sent, so the same callback may come again."""
        return self._write(
            attempt_id,
            "SET #status = :pending REMOVE #claimed_by, #claim_expires_at",
            _MINE,
            {":pending": Status.PENDING, ":exchanging": Status.EXCHANGING, ":me": claimed_by},
        )

    def fail_pending(self, who: Identity, code: Code, *, now: int) -> Transition:
        """End an attempt whose callback brought no grant, under the claim's own condition."""
        condition = f"{_PENDING_OF_THIS_BROWSER} AND #expires_at > :now"
        return self._fail(who.attempt_id, code, Step.CALLBACK, condition, _identity(who) | {":now": now})

    def fail_claimed(
        self,
        attempt_id: str,
        code: Code,
        *,
        claimed_by: str,
        step: Step = Step.EXCHANGE,
        retry_at: int | None = None,
        failed_by: str | None = None,
    ) -> Transition:
        """End the claimant's own attempt, which failed at `step`. With a `failed_by`, the call may be made again.

        A ── commit (no answer) ──?── FAILED: condition "EXCHANGING by A"
             commit landed first  →  ✗, the row says SUCCEEDED: that is the truth
             FAILED landed first  →  a commit that arrives late fails its own condition
        """
        values: dict[str, Value] = {":exchanging": Status.EXCHANGING, ":me": claimed_by}
        return self._fail(attempt_id, code, step, _MINE, values, failed_by=failed_by, retry_at=retry_at)

    def hold(self, held: Attempt) -> Transition:
        """Keep a sealed token with the attempt until the platform says who is present.

        `held` is the claimed attempt with everything that its commit will need; the condition is the claimant's.
        """
        if held.claimed_by is None:
            raise ValueError("only a claimed attempt can be held")
        kept = {name: value for name, value in held.to_item().items() if name in _KEPT_WHILE_HELD}
        sets = ", ".join(f"#{name} = :{name}" for name in kept)
        values = {f":{name}": value for name, value in kept.items()}
        return self._write(
            held.attempt_id,
            f"SET #status = :held, {sets} REMOVE #code_verifier",
            _MINE,
            values | {":held": Status.HELD, ":exchanging": Status.EXCHANGING, ":me": held.claimed_by},
        )

    def end_hold(self, attempt_id: str, code: Code) -> Transition:
        """End a held login that will not be confirmed, and remove its ciphertext.

        confirm ── commit: condition HELD ──▶ SUCCEEDED     whichever lands first wins;
        end     ── FAILED: condition HELD ──▶ FAILED        the other meets a row that is not HELD
        """
        return self._fail(attempt_id, code, Step.HOLD, "#status = :held", {":held": Status.HELD}, remove="#ciphertext")

    def settle(self, row: Attempt, now: int) -> Transition:
        """Write what the clock has already decided about `row`; where that is nothing, the row is left as it is.

        A's claim runs out ── settle by B: condition "EXCHANGING by A until t", as B saw it ──▶ FAILED
        A commits at the last moment ──▶ B's condition fails, and B answers from A's row
        """
        match row.status, row.standing(now)[0]:
            case Status.PENDING, Standing.FAILED:
                return self._fail(
                    row.attempt_id,
                    Code.EXPIRED,
                    Step.CALLBACK,
                    f"{_PENDING_OF_THIS_BROWSER} AND #expires_at <= :now",
                    _identity(Identity(row.attempt_id, row.broker, row.browser_hash)) | {":now": now},
                )
            case Status.EXCHANGING, Standing.FAILED:
                return self._fail(
                    row.attempt_id,
                    Code.OUTCOME_UNKNOWN,
                    Step.EXCHANGE,
                    f"{_MINE} AND #claim_expires_at = :until",
                    {
                        ":exchanging": Status.EXCHANGING,
                        ":me": row.claimed_by or "",
                        ":until": row.claim_expires_at or 0,
                    },
                )
            case Status.HELD, Standing.FAILED:
                return self.end_hold(row.attempt_id, Code.EXPIRED)
            case _:
                return Transition(done=False, row=row)

    def _fail(
        self,
        attempt_id: str,
        code: Code,
        step: Step,
        condition: str,
        values: dict[str, Value],
        *,
        remove: str = "#code_verifier",
        failed_by: str | None = None,
        retry_at: int | None = None,
    ) -> Transition:
        """Write FAILED, which one of all who try does: each failure is told once.

        A        ── FAILED by A ──▶
        B        ─────── FAILED by B ✗: the row says A
        A's SDK  ── FAILED by A, answer lost, again ✗, but the row says A: A has written it
        """
        name = failed_by or self.new_name()
        change = "SET #status = :failed, #error = :error, #failed_step = :step, #failed_by = :name"
        values = values | {":failed": Status.FAILED, ":error": code, ":step": step, ":name": name}
        if retry_at is not None:
            change += ", #retry_at = :retry_at"
            values[":retry_at"] = retry_at
        written = self._write(attempt_id, f"{change} REMOVE {remove}", condition, values)
        return replace(written, done=written.row is not None and written.row.failed_by == name)

    def _write(self, attempt_id: str, change: str, condition: str, values: dict[str, Value]) -> Transition:
        try:
            item = self.table.update({"attempt_id": attempt_id}, change, condition, values)
        except ConditionFailed as failed:
            is_attempt = failed.item is not None and "browser_hash" in failed.item
            return Transition(done=False, row=Attempt.from_item(failed.item) if failed.item and is_attempt else None)
        return Transition(done=True, row=Attempt.from_item(item))


def _identity(who: Identity) -> dict[str, Value]:
    return {":pending": Status.PENDING, ":broker": who.broker, ":browser_hash": who.browser_hash}
