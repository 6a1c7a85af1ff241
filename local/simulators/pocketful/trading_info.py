"""The customer's own record, which tells whose token it is."""

from werkzeug.wrappers import Request, Response

from local.simulators.customers import Customer
from local.simulators.pocketful.grants import Grants
from local.simulators.responses import json_response


class TradingInfoEndpoint:
    """Answers for the customer of the Bearer token (RFC 6750 §2.1)."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    def respond(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return _error("Method not allowed", error_code=40005, status=405)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        customer = self._grants.customer_of(token) if scheme.lower() == "bearer" else None
        if customer is None:
            return _error("Request forbidden", error_code=40000, status=401)
        return json_response({"data": _record(customer), "message": "", "status": "success"})


def _record(customer: Customer) -> dict[str, object]:
    return {
        "bo_id": [f"12099800{int.from_bytes(customer.account.encode()) % 10**8:08d}"],
        "client_id": customer.account,
        "email_id": f"{customer.account.lower()}@example.com",
        "exchanges_subscribed": ["BFO", "BSE", "MCX", "NFO", "NSE"],
        "name": customer.name.upper(),
        "poa_enabled": False,
        "products_enabled": ["NRML", "MIS", "CNC"],
        "status": "active",
    }


def _error(message: str, *, error_code: int, status: int) -> Response:
    return json_response({"data": {}, "error_code": error_code, "message": message, "status": "error"}, status=status)
