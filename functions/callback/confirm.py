"""`POST /confirm` and `GET /attempts/{attempt_id}`: what a platform's backend does and asks after a login."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from brokerlink.attempts import Attempts
from brokerlink.confirmation import Confirmation, Confirmed
from brokerlink.errors import Code
from brokerlink.outcomes import Budget
from brokerlink.telemetry import Telemetry
from brokerlink.web.bodies import json_texts
from brokerlink.web.callbacks import STATE
from brokerlink.web.edge import json_error
from brokerlink.web.request import WebRequest
from brokerlink.web.responses import Response, json_answer
from ends import outcome_json


@dataclass(frozen=True, slots=True)
class Confirm:
    """Confirms held logins. Who may call is IAM's matter."""

    confirmation: Confirmation
    telemetry: Telemetry

    def __call__(self, request: WebRequest, budget: Budget) -> Response:
        """Commit a held login for the user who is present. Raises `BadRequest`, `StorageError`."""
        body = json_texts(request, required=("attempt", "user_id"))
        attempt_id = body["attempt"]
        if not STATE.fullmatch(attempt_id):
            return _not_found()
        done = self.confirmation.confirm(attempt_id, body["user_id"], deadline=budget.answer_by)
        if isinstance(done, Confirmed):
            attempt = done.attempt
            if done.here:
                self.telemetry.good("connected", broker=attempt.broker, attempt_id=attempt_id)
            return json_answer(
                {"broker": attempt.broker, "account": attempt.account, "expires_at": attempt.token_expires_at}
            )
        if done.failed is not None and done.attempt is not None:
            self.telemetry.failed(done.failed, broker=done.attempt.broker, attempt_id=attempt_id)
        return _not_found()


@dataclass(frozen=True, slots=True)
class ShowAttempt:
    """Tells outcomes to the platform, which need not trust a URL. `clock` gives epoch seconds."""

    attempts: Attempts
    clock: Callable[[], float]

    def __call__(self, request: WebRequest, _: Budget) -> Response:
        """Give an outcome. Raises `StorageError`."""
        attempt_id = request.path_parameters["attempt_id"]
        row = self.attempts.read(attempt_id) if STATE.fullmatch(attempt_id) else None
        if row is None:
            return _not_found()
        return json_answer(outcome_json(row, int(self.clock())) | {"user_id": row.user_id})


def _not_found() -> Response:
    return json_error(Code.INVALID_REQUEST, "there is no such attempt, or not for this user", 404)
