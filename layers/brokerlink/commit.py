"""The end of a good login: attempt SUCCEEDED, token stored and session used, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from brokerlink.attempts import Attempt, Status, Transition
from brokerlink.retries import retry
from brokerlink.storage import Table, TransactionRefused, Value, Wire, transact
from brokerlink.tokens import TokenRecord

# A later login wins over an earlier one that is slow to finish; an expired row never stands in the way.
_NEWER: Final = "attribute_not_exists(#user_id) OR #issued_at_ms < :issued_at_ms OR #expires_at <= :now"


@dataclass(frozen=True, slots=True)
class Commits:
    """Commits logins. `sleep` takes seconds; `monotonic` is the clock of `deadline`."""

    attempts: Table
    tokens: Table
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def commit(self, attempt: Attempt, record: TokenRecord, *, token: str, now: int, deadline: float) -> Transition:
        """Commit `attempt`, which is EXCHANGING by its `claimed_by`, or HELD until after `now`.

        `token` (≤ 34 characters) makes repetitions harmless. Gives the row that is the truth, and whether this
        commit made it; `Transition(False, None)` where the attempt's row is gone.
        Raises `StorageError` when the deadline (on the monotonic clock) passes without an answer.

            A ── transaction ──▶ lands, answer lost
            A ── same transaction, same token ──▶ DynamoDB says: done        (or the condition fails on a row
                                                                              that A itself made SUCCEEDED)
            A ── transaction ✗ only the token's condition: a later login's token is already there
            A ── attempt and session alone, as a new transaction: connected, no row, no event
        """
        writes = [self._succeed(attempt, record, now), *self._use_session(attempt, record)]
        put = self.tokens.putting(record.to_item(), _NEWER, {":issued_at_ms": record.issued_at_ms, ":now": now})
        try:
            self._transact([writes[0], put, *writes[1:]], token, deadline)
        except TransactionRefused as refused:
            if not refused.failed[0]:
                return self._without_token(attempt, record, writes, f"{token}-2", deadline)
            return _read(refused, attempt)
        return Transition(done=True, row=_succeeded(attempt, record))

    def _without_token(
        self, attempt: Attempt, record: TokenRecord, writes: list[Wire], token: str, deadline: float
    ) -> Transition:
        try:
            self._transact(writes, token, deadline)
        except TransactionRefused as refused:
            return _read(refused, attempt)
        return Transition(done=True, row=_succeeded(attempt, record))

    def _transact(self, writes: list[Wire], token: str, deadline: float) -> None:
        retry(
            lambda: transact(self.attempts.client, writes, token),
            deadline=deadline,
            sleep=self.sleep,
            monotonic=self.monotonic,
        )

    def _succeed(self, attempt: Attempt, record: TokenRecord, now: int) -> Wire:
        values: dict[str, Value] = {
            ":succeeded": Status.SUCCEEDED,
            ":account": record.account,
            ":token_expires_at": record.expires_at,
            ":ttl": max(attempt.ttl, record.expires_at),
        }
        if attempt.status is Status.HELD:
            condition = "#status = :held AND #held_until > :now AND #user_id = :user_id"
            values |= {":held": Status.HELD, ":now": now, ":user_id": record.user_id}
        else:
            condition = "#status = :exchanging AND #claimed_by = :me"
            values |= {":exchanging": Status.EXCHANGING, ":me": attempt.claimed_by or ""}
        return self.attempts.updating(
            {"attempt_id": attempt.attempt_id},
            "SET #status = :succeeded, #account = :account, #token_expires_at = :token_expires_at, #ttl = :ttl "
            "REMOVE #code_verifier, #ciphertext",
            condition,
            values,
        )

    def _use_session(self, attempt: Attempt, record: TokenRecord) -> list[Wire]:
        if attempt.session is None:
            return []
        # No condition: a second login through the same session may end well too. With a `ttl`, because the session's
        # row may be gone by now, and an update would leave one that nothing cleans up.
        return [
            self.attempts.updating(
                {"attempt_id": attempt.session},
                "SET #status = :used, #ttl = :ttl",
                None,
                {":used": "USED", ":ttl": max(attempt.ttl, record.expires_at)},
            )
        ]


def _succeeded(attempt: Attempt, record: TokenRecord) -> Attempt:
    item = attempt.to_item() | {
        "status": Status.SUCCEEDED,
        "account": record.account,
        "token_expires_at": record.expires_at,
        "ttl": max(attempt.ttl, record.expires_at),
    }
    return Attempt.from_item(
        {name: value for name, value in item.items() if name not in {"code_verifier", "ciphertext"}}
    )


def _read(refused: TransactionRefused, attempt: Attempt) -> Transition:
    met = refused.items[0]
    row = Attempt.from_item(met) if met is not None else None
    # Where the engine forgot the token, our own first transaction shows as a row that we made SUCCEEDED. Only a
    # claimant can tell: a held login is anybody's to confirm.
    mine = (
        attempt.status is Status.EXCHANGING
        and row is not None
        and row.status is Status.SUCCEEDED
        and row.claimed_by == attempt.claimed_by
    )
    return Transition(done=mine, row=row)
