"""OAuth 2.0 brokers: the authorization code grant of RFC 6749 §4.1 with PKCE (RFC 7636), by configuration alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Final, override
from urllib.parse import quote_plus, urlencode, urlsplit

from brokerlink.brokers.account import AccountSource, account_source
from brokerlink.brokers.base import (
    AppSecret,
    AuthorizationRequest,
    Broker,
    ClientRejected,
    Form,
    IssuedToken,
    Link,
    TokenRequest,
    check_available,
    json_object,
)
from brokerlink.brokers.door import Door
from brokerlink.errors import Code, LoginError, SettingError, Step
from brokerlink.expiry import DailyExpiry, Expiry, RollingExpiry
from brokerlink.fields import Fields
from brokerlink.jwt import numeric_date, unverified_claims
from brokerlink.outbound import Answer, JsonValue, Request
from brokerlink.secret import Secret


class ClientAuth(StrEnum):
    """How the token endpoint learns who we are (names of OpenID Connect Core §9, and one for lenient servers)."""

    BASIC = "client_secret_basic"
    BASIC_PLAIN = "client_secret_basic_plain"
    POST = "client_secret_post"


# RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6 and Ory Hydra's own names; whatever is not here is a broker_error.
_CALLBACK_ERRORS: Final[Mapping[str, Code]] = {
    "access_denied": Code.DENIED,
    "request_denied": Code.DENIED,
    "login_required": Code.DENIED,
    "consent_required": Code.DENIED,
    "interaction_required": Code.DENIED,
    "account_selection_required": Code.DENIED,
    "server_error": Code.BROKER_UNAVAILABLE,
    "temporarily_unavailable": Code.BROKER_UNAVAILABLE,
    "invalid_request": Code.APP_MISCONFIGURED,
    "invalid_client": Code.APP_MISCONFIGURED,
    "invalid_scope": Code.APP_MISCONFIGURED,
    "invalid_state": Code.APP_MISCONFIGURED,
    "request_not_supported": Code.APP_MISCONFIGURED,
    "unauthorized_client": Code.APP_MISCONFIGURED,
    "unsupported_response_type": Code.APP_MISCONFIGURED,
}
# RFC 6749 §5.2.
_TOKEN_ERRORS: Final[Mapping[str, Code]] = {
    "invalid_grant": Code.GRANT_REJECTED,
    "invalid_request": Code.APP_MISCONFIGURED,
    "invalid_scope": Code.APP_MISCONFIGURED,
    "unauthorized_client": Code.APP_MISCONFIGURED,
    "unsupported_grant_type": Code.APP_MISCONFIGURED,
    "server_error": Code.BROKER_UNAVAILABLE,
    "temporarily_unavailable": Code.BROKER_UNAVAILABLE,
}
_OURS: Final = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    }
)
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"


class OAuth2Broker(Broker):
    """A broker that speaks OAuth 2.0. A subclass gives defaults for the settings that its customers never change."""

    binds_grant = True
    secret_names = frozenset({"client_secret"})
    grant_parameter = "code"

    def __init__(self, broker_id: str, fields: Fields) -> None:
        """Read the app's settings; see `docs/adding-a-broker.md` for each. Raises `SettingError`."""
        self.id = broker_id
        self.client_id = fields.text("client_id")
        self.name, self.authorization_endpoint, self.token_endpoint = self.endpoints(fields)
        self.scope = fields.text("scope", self.default_scope, pattern=r"[\x21\x23-\x5b\x5d-\x7e ]*")
        self.pkce = fields.flag("pkce", default=True)
        self.client_auth = fields.choice("client_auth", ClientAuth, ClientAuth.BASIC)
        self.authorization_parameters = fields.texts("authorization_parameters")
        if _OURS & self.authorization_parameters.keys():
            raise SettingError(f"{fields.setting}.authorization_parameters", "must not set what the protocol sets")
        self.headers = fields.texts("headers")
        self.issuer = fields.optional_text("issuer")
        self.account = self.account_source(fields)
        self.expiry = self.expiry_of(fields)

    default_scope: str = ""

    def endpoints(self, fields: Fields) -> tuple[str, str, str]:
        """Give display name, authorization endpoint and token endpoint."""
        name = fields.text("name", self.id.replace("_", " ").capitalize(), pattern=r"[^\x00-\x1f<>]{1,40}")
        return name, fields.url("authorization_endpoint"), fields.url("token_endpoint")

    def account_source(self, fields: Fields) -> AccountSource:
        """Give the place where the account's id is found."""
        return account_source(fields.section("account"), client_id=self.client_id, issuer=self.issuer)

    def expiry_of(self, fields: Fields) -> Expiry:
        """Give the end of the broker's day: `day_ends` ("00:00", IST) or `token_hours`."""
        if fields.has("token_hours"):
            return RollingExpiry(fields.whole("token_hours", least=1, most=24))
        return DailyExpiry(time.fromisoformat(fields.text("day_ends", "00:00", pattern=_CLOCK)))

    @override
    def authorization(self, request: AuthorizationRequest) -> Link | Form:
        query = {
            **self.authorization_parameters,
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": request.redirect_uri,
            "state": request.state.reveal(),
        }
        if self.scope:
            query["scope"] = self.scope
        if self.pkce:
            query |= {"code_challenge": challenge(request.code_verifier), "code_challenge_method": "S256"}
        # RFC 6749 §3.1: a query that the endpoint's URL already has is kept.
        joint = "&" if urlsplit(self.authorization_endpoint).query else "?"
        return Link(f"{self.authorization_endpoint}{joint}{urlencode(query)}")

    @override
    def parameter(self, name: str) -> str | None:
        return name if name in {"code", "state", "error", "iss"} else None

    @override
    def accepts(self, parameters: Mapping[str, str]) -> bool:
        # RFC 9207 §2.4: an issuer that is known has to be named, exactly.
        return self.issuer is None or parameters.get("iss") == self.issuer

    @override
    def refusal(self, parameters: Mapping[str, str]) -> Code | None:
        error = parameters.get("error")
        return _CALLBACK_ERRORS.get(error, Code.BROKER_ERROR) if error else None

    @override
    def exchange(self, request: TokenRequest, secret: AppSecret, door: Door, now: int) -> IssuedToken:
        form = {
            "grant_type": "authorization_code",
            "code": request.grant.value.reveal(),
            "redirect_uri": request.redirect_uri,
        }
        if self.pkce:
            form["code_verifier"] = request.code_verifier.reveal()
        headers = {
            **self.headers,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        match self.client_auth:
            case ClientAuth.BASIC:
                # RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
                headers["Authorization"] = basic(quote_plus(self.client_id), quote_plus(secret["client_secret"]))
            case ClientAuth.BASIC_PLAIN:
                headers["Authorization"] = basic(self.client_id, secret["client_secret"])
            case ClientAuth.POST:
                form |= {"client_id": self.client_id, "client_secret": secret["client_secret"]}
        answer = door.exchange(Request("POST", self.token_endpoint, headers, urlencode(form).encode()))
        return self.read_token(token_response(answer, now))

    def read_token(self, body: Mapping[str, JsonValue]) -> IssuedToken:
        """Read a successful token response (RFC 6749 §5.1). Raises `LoginError(broker_error)`."""
        access_token, token_type = body.get("access_token"), body.get("token_type", "bearer")
        scope, id_token = body.get("scope", self.scope), body.get("id_token")
        if not isinstance(access_token, str) or not access_token:
            raise LoginError(Code.BROKER_ERROR, Step.EXCHANGE, "the token response has no access_token")
        if not isinstance(token_type, str) or token_type.lower() != "bearer":
            raise LoginError(Code.BROKER_ERROR, Step.EXCHANGE, "the token response's token_type is not bearer")
        return IssuedToken(
            access_token=Secret(access_token),
            scope=scope if isinstance(scope, str) else self.scope,
            token_type="bearer",
            lifetime=lifetime(body.get("expires_in")),
            claimed_expiry=numeric_date(unverified_claims(access_token), "exp"),
            account=self.account.in_token_response(body),
            id_token=Secret(id_token) if isinstance(id_token, str) else None,
        )

    @override
    def identify(self, token: IssuedToken, door: Door, now: int) -> str:
        return self.account.find(token, self.headers, door, now)


BROKER = OAuth2Broker


def challenge(code_verifier: Secret) -> str:
    """Give the S256 challenge of a verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.reveal().encode()).digest()).rstrip(b"=").decode()


def basic(user: str, password: str) -> str:
    """Give a Basic Authorization header (RFC 7617 §2)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def token_response(answer: Answer, now: int) -> dict[str, JsonValue]:
    """Give a successful token response; raise `LoginError` for an error one (RFC 6749 §5.2), whatever its status."""
    try:
        body = json_object(answer, Step.EXCHANGE)
    except LoginError:
        check_available(answer, Step.EXCHANGE, now)
        raise
    error = body.get("error")
    if error == "invalid_client":
        raise ClientRejected
    check_available(answer, Step.EXCHANGE, now)
    if error is not None or answer.status != 200:
        named = error if isinstance(error, str) and error in _TOKEN_ERRORS else None
        code = _TOKEN_ERRORS[named] if named else Code.BROKER_ERROR
        raise LoginError(code, Step.EXCHANGE, f"HTTP {answer.status}: {named or 'no error that RFC 6749 names'}")
    return body


def lifetime(value: JsonValue) -> int | None:
    """Read `expires_in`: seconds as a number or its digits. Raises `LoginError(broker_error)` for zero and nonsense."""
    if value is None:
        return None
    seconds: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    elif isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        seconds = int(value)
    if seconds is None or seconds < 1:
        raise LoginError(Code.BROKER_ERROR, Step.EXCHANGE, "the token response's expires_in is not a time to live")
    return int(min(seconds, 10**10))
