"""Pocketful: OAuth 2.0 on what looks like Ory Hydra, and the client id from `trading_info`.

Source: Pocketful's page "OAuth2 Login Process". Its example URL spells `redirect-uri`, its tables `redirect_uri`;
the second is RFC 6749's and the one that binds the code to us. Unknown: what its page sends when a customer cancels,
and what `trading_info` answers when it fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Final, override

from brokerlink.brokers.account import AccountSource, Get
from brokerlink.brokers.oauth2 import OAuth2Broker
from brokerlink.errors import Code, LoginError, Step
from brokerlink.expiry import DailyExpiry, Expiry
from brokerlink.fields import Fields
from brokerlink.outbound import JsonValue

_BASE: Final = "https://trade.pocketful.in"


class TradingInfo(Get):
    """`GET /api/v1/user/trading_info`: the outer `status` is the call's, the one in `data` is the customer's."""

    @override
    def read(self, body: Mapping[str, JsonValue]) -> str:
        if body.get("status") not in ("success", True):
            raise LoginError(Code.ACCOUNT_UNKNOWN, Step.IDENTIFY, "trading_info's status is not success")
        return super().read(body)


class Pocketful(OAuth2Broker):
    """Pocketful's app: `client_id`; optional `scope`, `pkce`, `auth_base` and `api_base` (the two hosts may part)."""

    default_scope = "orders holdings"

    @override
    def endpoints(self, fields: Fields) -> tuple[str, str, str]:
        base = fields.base_url("auth_base", _BASE)
        return "Pocketful", f"{base}/oauth2/auth", f"{base}/oauth2/token"

    @override
    def account_source(self, fields: Fields) -> AccountSource:
        return TradingInfo(f"{fields.base_url('api_base', _BASE)}/api/v1/user/trading_info", "data.client_id")

    @override
    def expiry_of(self, fields: Fields) -> Expiry:
        # "valid until the end of the day (i.e. 12 AM)", although `expires_in` says 24 hours.
        return DailyExpiry(time(0, 0))


BROKER = Pocketful
