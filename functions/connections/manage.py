"""`GET /connections/{user_id}` and `DELETE /connections/{user_id}/{broker}/{account}`, for a platform's backend."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from brokerlink.connections import is_account, is_broker, is_owner
from brokerlink.errors import Code
from brokerlink.outcomes import Budget
from brokerlink.revocation import Connections
from brokerlink.telemetry import Telemetry
from brokerlink.web.edge import json_error
from brokerlink.web.request import BadRequest, WebRequest
from brokerlink.web.responses import Response, json_answer


@dataclass(frozen=True, slots=True)
class ListConnections:
    """Lists a user's live connections. Who may call is IAM's matter."""

    connections: Connections

    def __call__(self, request: WebRequest, _: Budget) -> Response:
        """Give the list, empty for somebody unknown. Raises `BadRequest`, `StorageError`."""
        found = self.connections.of_user(_owner(request))
        return json_answer({"connections": [asdict(each) for each in found]})


@dataclass(frozen=True, slots=True)
class EndConnection:
    """Ends a connection before its broker's day does. Who may call is IAM's matter."""

    connections: Connections
    telemetry: Telemetry

    def __call__(self, request: WebRequest, budget: Budget) -> Response:
        """Delete a token and have it told. Raises `BadRequest`, `StorageError`."""
        user_id = _owner(request)
        broker, account = request.path_parameters["broker"], request.path_parameters["account"]
        if not is_broker(broker):
            raise BadRequest("broker has to be 1 to 32 of a-z 0-9 _, a letter first")
        if not is_account(account):
            raise BadRequest("account has to be 1 to 64 of A-Z a-z 0-9 . _ -")
        ended = self.connections.revoke(user_id, broker, account, deadline=budget.answer_by)
        if ended is None:
            return json_error(Code.INVALID_REQUEST, "there is no such connection, or its day has ended", 404)
        self.telemetry.good("revoked", broker=broker, attempt_id=ended.attempt_id)
        return json_answer(
            {
                "broker": broker,
                "account": account,
                "user_id": user_id,
                "attempt_id": ended.attempt_id,
                "revoked_at": ended.connected_until,
            }
        )


def _owner(request: WebRequest) -> str:
    user_id = request.path_parameters["user_id"]
    if not is_owner(user_id):
        raise BadRequest("user_id has to be 1 to 128 of A-Z a-z 0-9 . _ -, or <broker>:<account>")
    return user_id
