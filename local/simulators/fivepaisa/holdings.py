"""A customer's holdings: what a program that trades asks first, and which shows whose token it has."""

import json

from werkzeug.wrappers import Request, Response

from local.simulators.clock import Clock
from local.simulators.customers import Customer
from local.simulators.responses import json_response
from local.simulators.store import ExpiringStore

# A token lives until its day ends.
_REMEMBERED_SECONDS = 86_400


class AccessTokens:
    """The access tokens that were issued: of which app, for which customer."""

    def __init__(self, clock: Clock) -> None:
        self._issued = ExpiringStore[tuple[str, Customer]](clock, seconds=_REMEMBERED_SECONDS)

    def keep(self, token: str, vendor_key: str, customer: Customer) -> None:
        self._issued.put(token, (vendor_key, customer))

    def account_of(self, token: str, vendor_key: str) -> str | None:
        """Whose token it is; None where it is not this app's."""
        key, customer = self._issued.get(token) or ("", None)
        return customer.account if customer is not None and key == vendor_key else None


class HoldingsEndpoint:
    """Answers `V3/Holding`: the app's key in the head, the customer's code in the body, the token as Bearer.

    Nobody here holds anything: what a holding looks like is not documented in what this project knows.
    """

    def __init__(self, tokens: AccessTokens) -> None:
        self._tokens = tokens

    def respond(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        key, code = _key_and_code(request)
        account = self._tokens.account_of(token, key) if scheme.lower() == "bearer" else None
        if account is None or account != code:
            body: dict[str, object] = {"Message": "Invalid Session", "Status": 9}
        else:
            body = {"Data": [], "Message": "Success", "Status": 0}
        return json_response({"body": body, "head": {"Status": 0, "StatusDescription": "Success"}})


def _key_and_code(request: Request) -> tuple[str, str]:
    try:
        sent = json.loads(request.get_data())
    except (ValueError, RecursionError):
        sent = None
    match sent:
        case {"head": {"key": str(key)}, "body": {"ClientCode": str(code)}}:
            return key, code
    return "", ""
