"""What the invocation that holds a claim may write: the ends of its attempt, each until answered or time is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from brokerlink.attempts import Attempt, Attempts, Status, Transition
from brokerlink.commit import Commits
from brokerlink.errors import Code, LoginError, Step
from brokerlink.outcomes import Ended, Finished, NothingConsumed, StillRunning, Unattributable
from brokerlink.retries import retry
from brokerlink.storage import StorageError
from brokerlink.tokens import TokenRecord

# Kept back for the write that decides where commit or hold brought no answer: a call takes 4 seconds.
_KEPT_TO_DECIDE: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claimed attempt. `sleep` takes seconds; `monotonic` is the clock of `answer_by`, when a page is due.

    A ── commit, or hold (no answer, again, no answer) ──?── FAILED: condition "EXCHANGING by A"
                                                             whichever landed first is the truth
    """

    attempts: Attempts
    commits: Commits
    attempt: Attempt
    claimed_by: str
    answer_by: float
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]

    def commit(self, record: TokenRecord, now: int) -> Finished:
        """End well: attempt SUCCEEDED and token stored. `now` is in epoch seconds."""
        try:
            done = self.commits.commit(
                self.attempt, record, token=self.claimed_by, now=now, deadline=self.answer_by - _KEPT_TO_DECIDE
            )
        except StorageError as error:
            return self.fail(LoginError(Code.INTERNAL, Step.COMMIT, str(error)))
        return Unattributable() if done.row is None else Ended(done.row, here=done.done)

    def hold(self, record: TokenRecord, held_until: int) -> Finished:
        """Keep the token until the platform says who is there, or until `held_until` (epoch seconds)."""
        held = replace(
            self.attempt,
            status=Status.HELD,
            held_until=held_until,
            ciphertext=record.ciphertext,
            scope=record.scope,
            token_type=record.token_type,
            issued_at_ms=record.issued_at_ms,
            app_key=record.app_key,
            account=record.account,
            token_expires_at=record.expires_at,
        )
        try:
            kept = self._until(self.answer_by - _KEPT_TO_DECIDE, lambda: self.attempts.hold(held))
        except StorageError as error:
            return self.fail(LoginError(Code.INTERNAL, Step.HOLD, str(error)))
        return self._ended(kept)

    def fail(self, failure: LoginError) -> Finished:
        """End the attempt, unless it has ended otherwise meanwhile."""
        name = self.attempts.new_name()
        try:
            ended = self._until(
                self.answer_by,
                lambda: self.attempts.fail_claimed(
                    self.attempt.attempt_id,
                    failure.code,
                    claimed_by=self.claimed_by,
                    step=failure.step,
                    retry_at=failure.retry_at,
                    failed_by=name,
                ),
            )
        except StorageError as error:
            return self._unwritten(failure, error)
        return self._ended(ended, failure if ended.done else None)

    def give_back(self, failure: LoginError) -> Finished:
        """Make the attempt PENDING again: nothing was sent, so the same callback may come again."""
        try:
            self._until(
                self.answer_by,
                lambda: self.attempts.release(self.attempt.attempt_id, claimed_by=self.claimed_by),
            )
        except StorageError as error:
            return self._unwritten(failure, error)
        return NothingConsumed(self.attempt.attempt_id, failure)

    def _until(self, deadline: float, write: Callable[[], Transition]) -> Transition:
        return retry(write, deadline=deadline, sleep=self.sleep, monotonic=self.monotonic)

    def _ended(self, written: Transition, failure: LoginError | None = None) -> Finished:
        row = written.row
        if row is None:
            return Unattributable()
        # An answer that was lost on the way: it was this claim that ended so.
        mine = row.status in {Status.HELD, Status.SUCCEEDED} and row.claimed_by == self.claimed_by
        return Ended(row, here=written.done or mine, failure=failure)

    def _unwritten(self, failure: LoginError, error: StorageError) -> Finished:
        """Leave the claim to run out by itself: whoever asks then is told that the outcome is unknown."""
        told = LoginError(failure.code, failure.step, f"{failure.message}; and that was not written: {error}")
        told.__cause__ = failure.__cause__
        return StillRunning(self.attempt.attempt_id, told)
