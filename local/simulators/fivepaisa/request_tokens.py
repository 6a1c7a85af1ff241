"""Request tokens: made at login, spent once, within thirty seconds."""

import threading
from dataclasses import dataclass
from enum import Enum

from local.simulators.clock import Clock
from local.simulators.customers import Customer
from local.simulators.store import ExpiringStore
from local.simulators.tokens import signed_jwt

REQUEST_TOKEN_SECONDS = 30
"""The life that real request tokens carry in their own `exp`; the broker's page says sixty minutes."""

# Remembered for longer than they live, so that a late one is told apart from an unknown one.
_REMEMBERED_SECONDS = 86_400


class Refusal(Enum):
    """Why a request token gives nothing."""

    INVALID = "Invalid Token"
    """Unknown, used before, or another partner's."""
    EXPIRED = "Token Expired."


@dataclass(frozen=True, slots=True)
class _Issued:
    vendor_key: str
    customer: Customer
    expires_at: int


class RequestTokens:
    """Thread-safe: of two exchanges of one token, one gets the customer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens = ExpiringStore[_Issued](clock, seconds=_REMEMBERED_SECONDS)
        self._spending = threading.Lock()

    def issue(self, vendor_key: str, customer: Customer) -> str:
        """A JWT with the claims of the real ones."""
        now = int(self._clock())
        expires_at = now + REQUEST_TOKEN_SECONDS
        token = signed_jwt(
            {
                "unique_name": customer.account,
                "role": vendor_key,
                "nbf": now,
                "exp": expires_at,
                "iat": now,
            }
        )
        self._tokens.put(token, _Issued(vendor_key, customer, expires_at))
        return token

    def spend(self, token: str, vendor_key: str) -> Customer | Refusal:
        """Whose login it was, once; a partner who is refused leaves the token unspent."""
        with self._spending:
            issued = self._tokens.get(token)
            if issued is None or issued.vendor_key != vendor_key:
                return Refusal.INVALID
            if self._clock() >= issued.expires_at:
                return Refusal.EXPIRED
            self._tokens.pop(token)
            return issued.customer
