"""GetAccessToken: a request token for an access token. Every failure is HTTP 200 too."""

import hmac
import json
from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from local.simulators.clients import FivepaisaClient
from local.simulators.clock import Clock, next_midnight
from local.simulators.customers import Customer
from local.simulators.fivepaisa.holdings import AccessTokens
from local.simulators.fivepaisa.request_tokens import Refusal, RequestTokens
from local.simulators.responses import json_response
from local.simulators.tokens import signed_jwt

_REFRESH_DAYS = 90
_SUCCESS_HEAD = {"Status": 0, "StatusDescription": "Success"}
_INVALID_HEAD = {"Status": 2, "StatusDescription": "Invalid Inputs"}


class AccessTokenEndpoint:
    """Answers partners: `Key`, `EncryKey` and `UserId` are theirs, and only the answer names the customer."""

    def __init__(
        self,
        clients: Mapping[str, FivepaisaClient],
        request_tokens: RequestTokens,
        access_tokens: AccessTokens,
        clock: Clock,
    ) -> None:
        self._clients = clients
        self._access_tokens = access_tokens
        self._request_tokens = request_tokens
        self._clock = clock

    def respond(self, request: Request) -> Response:
        head, body = _parts(request)
        client = self._clients.get(_text(head, "Key"))
        if client is None:
            # The status as a string and no body at all: so the service answers a wrong key.
            refusal = {"Status": "2", "StatusDescription": "Invalid Head Parameters"}
            return json_response({"body": None, "head": refusal})
        if not (_same(_text(body, "EncryKey"), client.encryption_key) and _same(_text(body, "UserId"), client.user_id)):
            return _refused("Invalid UserId or EncryKey")
        customer = self._request_tokens.spend(_text(body, "RequestToken"), client.vendor_key)
        if isinstance(customer, Refusal):
            return _refused(customer.value)
        return json_response({"body": self._session(client, customer), "head": _SUCCESS_HEAD})

    def _session(self, client: FivepaisaClient, customer: Customer) -> dict[str, str | int]:
        now = int(self._clock())
        midnight = next_midnight(now)
        access: dict[str, str | int] = {
            "unique_name": customer.account,
            "role": client.app_source,
            "State": "",
            "RedirectServer": "A",
            "nbf": now,
            "exp": midnight - 1,
            "iat": now,
        }
        refresh: dict[str, str | int] = {**access, "exp": midnight + (_REFRESH_DAYS - 1) * 86_400}
        token = signed_jwt(access)
        self._access_tokens.keep(token, client.vendor_key, customer)
        return {
            "AccessToken": token,
            "AllowBseCash": "Y",
            "AllowBseDeriv": "N",
            "AllowMCXComm": "N",
            "AllowNSECurrency": "N",
            "AllowNseCash": "Y",
            "AllowNseDeriv": "Y",
            "BulkOrderAllowed": 0,
            "CleareDt": f"/Date({(midnight - 86_400) * 1000}+0530)/",
            "ClientCode": customer.account,
            "ClientName": customer.name.upper(),
            "ClientType": "1",
            "CommodityEnabled": "N",
            "CustomerType": "STANDARD",
            "Message": "Success",
            "POAStatus": "N",
            "RefreshToken": signed_jwt(refresh),
            "Status": 0,
        }


def _parts(request: Request) -> tuple[object, object]:
    """The request's head and body; None for what is not there, or not JSON."""
    if request.method != "POST" or request.mimetype != "application/json":
        return None, None
    try:
        sent = json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None, None
    return (sent.get("head"), sent.get("body")) if isinstance(sent, dict) else (None, None)


def _text(part: object, name: str) -> str:
    value = part.get(name) if isinstance(part, dict) else None
    return value if isinstance(value, str) else ""


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _refused(message: str) -> Response:
    body = {"AccessToken": "", "ClientCode": "", "Message": message, "Status": 2}
    return json_response({"body": body, "head": _INVALID_HEAD})
