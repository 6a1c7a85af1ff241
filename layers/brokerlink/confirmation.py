"""A held login ends: the platform says which of its users is present, and the token is committed or dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from brokerlink.attempts import Attempt, Attempts, Standing, Status
from brokerlink.commit import Commits
from brokerlink.errors import Code
from brokerlink.tokens import TokenRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The login is committed for the user who is present; `here` says whether this call committed it."""

    attempt: Attempt
    here: bool


@dataclass(frozen=True, slots=True)
class NotConfirmed:
    """There is nothing to confirm, or not for this user, or not any more; `failed` where this call ended the login."""

    attempt: Attempt | None = None
    failed: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Confirms held logins. `clock` gives epoch seconds; `new_token` a random text of at most 34 characters."""

    attempts: Attempts
    commits: Commits
    clock: Callable[[], float]
    new_token: Callable[[], str]

    def confirm(self, attempt_id: str, user_id: str, *, deadline: float) -> Confirmed | NotConfirmed:
        """Commit a held login for the user whom the platform sees. `deadline` is on the monotonic clock.

        Raises `StorageError`, and the login is still held.
        """
        row = self.attempts.read(attempt_id)
        if row is None:
            return NotConfirmed()
        right_user = row.user_id == user_id
        now = int(self.clock())
        match row.status, row.standing(now)[0]:
            case Status.SUCCEEDED, Standing.CONNECTED:
                return Confirmed(attempt=row, here=False) if right_user else NotConfirmed()
            case Status.HELD, Standing.CONFIRM if right_user:
                return self._commit(row, now, deadline)
            case Status.HELD, Standing.CONFIRM:
                ended = self.attempts.end_hold(attempt_id, Code.ACCOUNT_MISMATCH)
                return NotConfirmed(row, Code.ACCOUNT_MISMATCH if ended.done else None)
            case Status.HELD, _:
                ended = self.attempts.end_hold(attempt_id, Code.EXPIRED)
                return NotConfirmed(row, Code.EXPIRED if ended.done else None)
            case _:
                return NotConfirmed()

    def _commit(self, row: Attempt, now: int, deadline: float) -> Confirmed | NotConfirmed:
        # Past its time nothing commits: a transaction is repeated with the `now` of the first try.
        time_left = (row.held_until or now) - self.clock()
        deadline = min(deadline, self.commits.monotonic() + time_left)
        done = self.commits.commit(row, _record(row), token=self.new_token(), now=now, deadline=deadline)
        if done.row is not None and done.row.status is Status.SUCCEEDED:
            return Confirmed(attempt=done.row, here=done.done)
        return NotConfirmed(done.row)


def _record(row: Attempt) -> TokenRecord:
    """Give the token that a held attempt keeps. Raises `ValueError` where it keeps none."""
    if (
        row.user_id is None
        or row.account is None
        or row.ciphertext is None
        or row.issued_at_ms is None
        or row.token_expires_at is None
    ):
        raise ValueError("the held attempt keeps no whole token")
    return TokenRecord(
        user_id=row.user_id,
        broker=row.broker,
        account=row.account,
        ciphertext=row.ciphertext,
        scope=row.scope or "",
        token_type=row.token_type or "bearer",
        attempt_id=row.attempt_id,
        issued_at_ms=row.issued_at_ms,
        expires_at=row.token_expires_at,
        app_key=row.app_key,
    )
