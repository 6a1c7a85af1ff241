"""5paisa: vendor login with a request token.

Source: 5paisa's page "OAuth Login (Web Based)" and its GetAccessToken page. The page speaks of 60 minutes for the
request token; every token seen lives 30 seconds by its own `exp`. Unknown: whether the ResponseURL is checked against a
list, whether a request token works once only, and what comes back when a customer cancels. A request token is not
bound to the state that it arrives with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Final, override
from urllib.parse import urlencode

from brokerlink.brokers.base import (
    AppSecret,
    AuthorizationRequest,
    Broker,
    Form,
    Grant,
    IssuedToken,
    Link,
    TokenRequest,
    account_of,
    check_available,
    json_object,
)
from brokerlink.brokers.door import Door
from brokerlink.errors import Code, LoginError, Step
from brokerlink.expiry import DailyExpiry
from brokerlink.fields import Fields
from brokerlink.jwt import numeric_date, unverified_claims
from brokerlink.outbound import JsonValue, Request
from brokerlink.secret import Secret

_CLOCK_SKEW: Final = 60
# Tokens end at 23:59:59 by their own `exp`; the page says 11:59 PM, which is taken for one that cannot be read.
_WITHOUT_EXP: Final = DailyExpiry(time(23, 59))
_PARAMETERS: Final[Mapping[str, str]] = {
    "requesttoken": "RequestToken",
    "request_token": "RequestToken",
    "state": "state",
}
# Every failure is an HTTP 200; `Status` is a number in some answers and a text in others.
_HEAD_FAILURES: Final[Mapping[str, Code]] = {"2": Code.APP_MISCONFIGURED, "-2": Code.APP_MISCONFIGURED}
_BODY_FAILURES: Final[Mapping[str, Code]] = {
    "1": Code.GRANT_REJECTED,
    "2": Code.GRANT_REJECTED,
    "9": Code.GRANT_REJECTED,
    "-1": Code.BROKER_UNAVAILABLE,
}


class LoginMethod(StrEnum):
    """How the browser reaches the login page: 5paisa's text says POST, its URL template and every client say GET."""

    GET = "get"
    POST = "post"


class FivePaisa(Broker):
    """5paisa's app: `vendor_key`; optional `login_base`, `api_base`, `login_method`, `allow_unpinned`."""

    name = "5paisa"
    expiry = DailyExpiry(time(0, 0))
    binds_grant = False
    secret_names = frozenset({"encryption_key", "user_id"})
    grant_parameter = "RequestToken"

    def __init__(self, broker_id: str, fields: Fields) -> None:
        """Read the app's settings. Raises `SettingError`."""
        self.id = broker_id
        self.vendor_key = fields.text("vendor_key")
        login_base = fields.base_url("login_base", "https://dev-openapi.5paisa.com")
        api_base = fields.base_url("api_base", "https://Openapi.5paisa.com")
        self.login_url = f"{login_base}/WebVendorLogin/VLogin/Index"
        self.token_endpoint = f"{api_base}/VendorsAPI/Service1.svc/GetAccessToken"
        self.login_method = fields.choice("login_method", LoginMethod, LoginMethod.GET)
        self.allow_unpinned = fields.flag("allow_unpinned", default=False)

    @override
    def authorization(self, request: AuthorizationRequest) -> Link | Form:
        fields = {
            "VendorKey": self.vendor_key,
            "ResponseURL": request.redirect_uri,
            "State": request.state.reveal(),
        }
        if self.login_method is LoginMethod.POST:
            return Form(self.login_url, fields)
        return Link(f"{self.login_url}?{urlencode(fields)}")

    @override
    def parameter(self, name: str) -> str | None:
        return _PARAMETERS.get(name.lower())

    @override
    def read_grant(self, value: Secret) -> Grant:
        exp = numeric_date(unverified_claims(value.reveal()), "exp")
        return Grant(value, None if exp is None else exp + _CLOCK_SKEW)

    @override
    def exchange(self, request: TokenRequest, secret: AppSecret, door: Door, now: int) -> IssuedToken:
        body = {
            "head": {"Key": self.vendor_key},
            "body": {
                "RequestToken": request.grant.value.reveal(),
                "EncryKey": secret["encryption_key"],
                "UserId": secret["user_id"],
            },
        }
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        answer = door.exchange(Request("POST", self.token_endpoint, headers, json.dumps(body).encode()))
        check_available(answer, Step.EXCHANGE, now)
        if answer.status != 200:
            raise LoginError(Code.BROKER_ERROR, Step.EXCHANGE, f"HTTP {answer.status}")
        return self.read_token(json_object(answer, Step.EXCHANGE), now)

    def read_token(self, answer: Mapping[str, JsonValue], now: int) -> IssuedToken:
        """Read GetAccessToken's answer, keeping nothing but the token and its account; the refresh token is dropped.

        Raises `LoginError`.
        """
        head, body = answer.get("head"), answer.get("body")
        if not isinstance(body, dict):
            status = _status(head)
            raise LoginError(
                _HEAD_FAILURES.get(status, Code.BROKER_ERROR),
                Step.EXCHANGE,
                f"no body, head status {status or 'absent'}",
            )
        status = _status(body)
        if status != "0":
            raise LoginError(
                _BODY_FAILURES.get(status, Code.BROKER_ERROR),
                Step.EXCHANGE,
                f"body status {status or 'absent'}",
            )
        token = body.get("AccessToken")
        if not isinstance(token, str) or not token:
            raise LoginError(Code.BROKER_ERROR, Step.EXCHANGE, "the answer has no AccessToken")
        claims = unverified_claims(token)
        account = account_of(body.get("ClientCode"))
        if claims.get("unique_name", account) != account:
            raise LoginError(Code.ACCOUNT_UNKNOWN, Step.IDENTIFY, "ClientCode and the token's unique_name differ")
        return IssuedToken(
            access_token=Secret(token),
            claimed_expiry=numeric_date(claims, "exp") or _WITHOUT_EXP.end(now),
            account=account,
            app_key=self.vendor_key,
        )


BROKER = FivePaisa


def _status(part: JsonValue) -> str:
    """Give a `Status` as its digits; empty for anything else."""
    value = part.get("Status") if isinstance(part, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).strip()
    return text if len(text) <= 4 and text.lstrip("-").isdigit() else ""
