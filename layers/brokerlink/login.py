"""The steps of a login, from the callback to its end, in order.

    0 ready     the broker's secrets are at hand and there is time left
    1 claim     PENDING → EXCHANGING, if browser, broker and time fit
    2 exchange  grant → token, sent to the broker once
    3 identify  token → account, and whether this login may end in it
    4 encrypt   the token is sealed for broker, account and user
    5 commit    attempt SUCCEEDED + token + session USED; or the login is held until the platform confirms who is there

A failure before the grant is sent consumes nothing; a failure after it ends the attempt.
"""

from __future__ import annotations

import hmac
import math
from contextlib import suppress
from dataclasses import dataclass

from brokerlink.attempts import Attempt, Identity, Standing, Status, digest
from brokerlink.brokers.base import AppSecret, Broker
from brokerlink.errors import Code, LoginError, Step
from brokerlink.exchange import KEPT_BACK, LEAST_FOR_BROKER, Exchange, Services
from brokerlink.outcomes import (
    Budget,
    Callback,
    Ended,
    Finished,
    NothingConsumed,
    StillRunning,
    Unattributable,
    WrongBrowser,
)
from brokerlink.secret import Secret
from brokerlink.storage import Conflict, StorageError


@dataclass(frozen=True, slots=True)
class Login:
    """Finishes logins."""

    services: Services

    def finish(self, broker: Broker, callback: Callback, browser_key: Secret, budget: Budget) -> Finished:
        """Finish the attempt that the callback's state names. Raises `StorageError` where nothing can be known."""
        who = Identity(digest(callback.state.reveal()), broker.id, digest(browser_key.reveal()))
        if callback.grant is None:
            return self._decline(who, callback.refusal or Code.INVALID_REQUEST)
        if callback.grant.send_before is not None and self.services.now() > callback.grant.send_before:
            return self._decline(who, Code.EXPIRED)
        # The connection is there by the time that the attempt is claimed.
        with self.services.doors(budget.answer_by - KEPT_BACK).opening(broker.token_endpoint):
            try:
                secret = self._ready(broker, budget)
            except LoginError as failure:
                return self._not_ready(who, failure)
            claimed_by = self.services.new_claim()
            claim = self._claim(who, claimed_by, budget)
            if isinstance(claim, Attempt):
                return Exchange(self.services, broker, claim, claimed_by, budget).run(callback.grant, secret)
            return claim

    def _ready(self, broker: Broker, budget: Budget) -> AppSecret:
        secret = self.services.secrets.get(broker)
        if budget.answer_by - KEPT_BACK - self.services.monotonic() < LEAST_FOR_BROKER:
            raise LoginError(Code.BUSY, Step.READY, "too little time is left to ask the broker")
        return secret

    def _claim(self, who: Identity, claimed_by: str, budget: Budget) -> Attempt | Finished:
        now = self.services.now()
        until = math.ceil(self.services.clock() + (budget.ends - self.services.monotonic()) + 5)
        try:
            claim = self.services.attempts.claim(who, claimed_by=claimed_by, claim_expires_at=until, now=now)
        except Conflict as conflict:
            return StillRunning(who.attempt_id, LoginError(Code.BUSY, Step.CLAIM, str(conflict)))
        except StorageError as error:
            # It may have landed all the same: then it is given back, as far as the table lets us.
            with suppress(StorageError):
                self.services.attempts.release(who.attempt_id, claimed_by=claimed_by)
            return NothingConsumed(who.attempt_id, LoginError(Code.BUSY, Step.CLAIM, str(error)))
        if claim.done and claim.row is not None:
            return claim.row
        return self.judge(who, claim.row)

    def judge(self, who: Identity, row: Attempt | None) -> Finished:
        """Answer from the row that a callback met instead of one that it could claim."""
        if row is None or row.broker != who.broker:
            return Unattributable()
        if not hmac.compare_digest(row.browser_hash, who.browser_hash):
            return WrongBrowser()
        if row.status is Status.EXCHANGING and row.standing(self.services.now())[0] is Standing.IN_PROGRESS:
            return StillRunning(row.attempt_id)
        settled = self.services.attempts.settle(row, self.services.now())
        return Ended(settled.row or row, here=settled.done)

    def _decline(self, who: Identity, code: Code) -> Finished:
        now = self.services.now()
        try:
            ended = self.services.attempts.fail_pending(who, code, now=now)
        except Conflict as conflict:
            return StillRunning(who.attempt_id, LoginError(code, Step.CALLBACK, str(conflict)))
        if ended.done and ended.row is not None:
            return Ended(
                ended.row,
                here=True,
                failure=LoginError(code, Step.CALLBACK, "the callback carries no usable grant"),
            )
        return self.judge(who, ended.row)

    def _not_ready(self, who: Identity, failure: LoginError) -> Finished:
        row = self.services.attempts.read(who.attempt_id)
        finished = self.judge(who, row)
        if isinstance(finished, Ended) and finished.attempt.status is Status.PENDING:
            return NothingConsumed(who.attempt_id, failure)
        return finished
