"""`POST /sessions`: a platform's backend prepares a login for one of its users."""

from __future__ import annotations

from dataclasses import dataclass

from brokerlink.begin import Beginning, MustNameAccount
from brokerlink.brokers.base import Broker
from brokerlink.connections import is_account, is_user_id
from brokerlink.errors import Code
from brokerlink.outcomes import Budget
from brokerlink.settings import WebSettings
from brokerlink.telemetry import Telemetry
from brokerlink.web.bodies import json_texts
from brokerlink.web.edge import json_error
from brokerlink.web.request import BadRequest, WebRequest
from brokerlink.web.responses import Response, json_answer
from brokerlink.web.return_to import is_allowed
from brokerlink.web.site import Site


@dataclass(frozen=True, slots=True)
class Prepare:
    """Opens sessions. Who may call is IAM's matter."""

    settings: WebSettings
    beginning: Beginning
    telemetry: Telemetry

    def __call__(self, request: WebRequest, _: Budget) -> Response:
        """Open a session and give its start URL. Raises `BadRequest`, `StorageError`."""
        body = json_texts(request, required=("broker", "user_id"), optional=("account", "return_to"))
        broker = self._broker(body["broker"])
        if broker is None:
            self.telemetry.misconfigured(self.settings.brokers.off[body["broker"]], broker=body["broker"])
            return json_error(Code.APP_MISCONFIGURED, "this broker is switched off until its settings are mended")
        if not is_user_id(body["user_id"]):
            raise BadRequest("user_id has to be 1 to 128 of A-Z a-z 0-9 . _ -")
        account, return_to = body.get("account"), body.get("return_to")
        if account is not None and not is_account(account):
            raise BadRequest("account has to be 1 to 64 of A-Z a-z 0-9 . _ -")
        if return_to is not None and not is_allowed(return_to, self.settings.return_to):
            raise BadRequest("return_to is not below an address on the stack's list (ReturnTo)")
        if account is None and return_to is None:
            raise BadRequest("a session without account needs return_to, where the login is confirmed")
        prepared = self.beginning.prepare(broker, user_id=body["user_id"], account=account, return_to=return_to)
        if isinstance(prepared, MustNameAccount):
            raise BadRequest("this broker's sessions have to name the account (unless its app sets allow_unpinned)")
        start_url = Site.of(request, self.settings.base_url).url(
            f"/authorize/{broker.id}", session=prepared.secret.reveal()
        )
        return json_answer({"start_url": start_url, "expires_at": prepared.expires_at}, 201)

    def _broker(self, broker_id: str) -> Broker | None:
        brokers = self.settings.brokers
        if broker_id not in brokers.on and broker_id not in brokers.off:
            raise BadRequest(f"broker has to be one of: {', '.join(sorted(brokers.on)) or 'none is configured'}")
        return brokers.on.get(broker_id)
