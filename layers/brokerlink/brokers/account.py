"""Where an OAuth 2.0 broker tells which account a token is for: the token response, a claim, or a GET."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import override

from brokerlink.brokers.base import IssuedToken, account_of, check_available, json_object
from brokerlink.brokers.door import Door
from brokerlink.errors import Code, LoginError, Step
from brokerlink.fields import Fields
from brokerlink.jwt import unverified_claims
from brokerlink.outbound import JsonValue, Request


class AccountSource(ABC):
    """A place where the account's id stands, at a dotted path such as `data.client_id`."""

    path: str

    def in_token_response(self, body: Mapping[str, JsonValue]) -> str | None:
        """Give the account where the token response tells it."""
        del body
        return None

    @abstractmethod
    def find(self, token: IssuedToken, headers: Mapping[str, str], door: Door, now: int) -> str:
        """Give the account. Raises `LoginError` as `Broker.identify` does."""


class TokenResponse(AccountSource):
    """The account stands in the token response itself."""

    def __init__(self, path: str) -> None:
        self.path = path

    @override
    def in_token_response(self, body: Mapping[str, JsonValue]) -> str | None:
        value = at_path(body, self.path)
        return value if isinstance(value, str) else None

    @override
    def find(self, token: IssuedToken, headers: Mapping[str, str], door: Door, now: int) -> str:
        return account_of(token.account)


@dataclass(frozen=True, slots=True)
class Claim(AccountSource):
    """The account is a claim of the id_token, or of an access token that is a JWT.

    It came straight from the token endpoint over TLS, which stands in for the check of its signature
    (OpenID Connect Core §3.1.3.7, item 6); its `aud` and `iss` are checked.
    """

    path: str
    id_token: bool
    client_id: str
    issuer: str | None

    @override
    def find(self, token: IssuedToken, headers: Mapping[str, str], door: Door, now: int) -> str:
        if not self.id_token:
            return account_of(at_path(unverified_claims(token.access_token.reveal()), self.path))
        claims = unverified_claims(token.id_token.reveal()) if token.id_token else {}
        audience = claims.get("aud")
        if self.client_id not in (audience if isinstance(audience, list) else [audience]):
            raise LoginError(Code.ACCOUNT_UNKNOWN, Step.IDENTIFY, "the id_token is not for this client")
        if self.issuer is not None and claims.get("iss") != self.issuer:
            raise LoginError(Code.ACCOUNT_UNKNOWN, Step.IDENTIFY, "the id_token is from another issuer")
        return account_of(at_path(claims, self.path))


class Get(AccountSource):
    """The account is told by a GET with the access token as Bearer (RFC 6750 §2.1)."""

    def __init__(self, url: str, path: str) -> None:
        self.url = url
        self.path = path

    @override
    def find(self, token: IssuedToken, headers: Mapping[str, str], door: Door, now: int) -> str:
        bearer = {"Authorization": f"Bearer {token.access_token.reveal()}", "Accept": "application/json"}
        answer = door.ask(Request("GET", self.url, {**headers, **bearer}, None))
        check_available(answer, Step.IDENTIFY, now)
        if answer.status != 200:
            raise LoginError(Code.ACCOUNT_UNKNOWN, Step.IDENTIFY, f"HTTP {answer.status}")
        return self.read(json_object(answer, Step.IDENTIFY))

    def read(self, body: Mapping[str, JsonValue]) -> str:
        """Read the account from the answer. Raises `LoginError(account_unknown)`."""
        return account_of(at_path(body, self.path))


class Origin(StrEnum):
    """The values of the setting `account.from`."""

    TOKEN_RESPONSE = "token_response"
    ID_TOKEN = "id_token"
    ACCESS_TOKEN = "access_token"
    GET = "get"


def account_source(fields: Fields, *, client_id: str, issuer: str | None) -> AccountSource:
    """Make the source that the setting `account` describes. Raises `SettingError`."""
    origin = fields.choice("from", Origin, Origin.TOKEN_RESPONSE)
    path = fields.text("path", pattern=r"[^.\x00-\x1f]+(\.[^.\x00-\x1f]+)*")
    source: AccountSource
    match origin:
        case Origin.TOKEN_RESPONSE:
            source = TokenResponse(path)
        case Origin.GET:
            source = Get(fields.url("url"), path)
        case Origin.ID_TOKEN | Origin.ACCESS_TOKEN:
            source = Claim(path, origin is Origin.ID_TOKEN, client_id, issuer)
    fields.finish()
    return source


def at_path(body: Mapping[str, JsonValue], path: str) -> JsonValue:
    """Give the value at a dotted path through objects; None where it leads nowhere."""
    value: JsonValue = dict(body)
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
