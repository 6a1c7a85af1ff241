"""What every broker is: how its authorization URL is made, its callback read, its grant exchanged."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from brokerlink.brokers.door import Door
from brokerlink.connections import is_account
from brokerlink.errors import Code, LoginError, Step
from brokerlink.expiry import Expiry
from brokerlink.outbound import Answer, JsonValue, NotJson
from brokerlink.secret import Secret

_LONGEST_WAIT: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What a trip to a broker begins with."""

    state: Secret
    redirect_uri: str
    code_verifier: Secret


@dataclass(frozen=True, slots=True)
class Link:
    """The browser goes to the broker by GET."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The browser posts these fields to the broker."""

    action: str
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a callback carries. After `send_before` (epoch seconds) it is dead and is not sent."""

    value: Secret
    send_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What an exchange needs: the grant, and what was kept from the authorization request."""

    grant: Grant
    redirect_uri: str
    code_verifier: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A broker's answer to an exchange. `lifetime` is in seconds, `claimed_expiry` in epoch seconds.

    `account` is the broker's id of the customer where the answer tells it; else `Broker.identify` finds it out.
    """

    access_token: Secret
    scope: str = ""
    token_type: str = "bearer"
    lifetime: int | None = None
    claimed_expiry: int | None = None
    account: str | None = None
    app_key: str | None = None
    id_token: Secret | None = None


@dataclass(frozen=True, slots=True)
class AppSecret:
    """The secret part of a broker app, by the names of the broker's `secret_names`."""

    _values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, name: str) -> str:
        return self._values[name]


class ClientRejected(LoginError):
    """The broker refused our credentials before it looked at the grant (RFC 6749 §5.2, `invalid_client`)."""

    def __init__(self) -> None:
        super().__init__(Code.APP_MISCONFIGURED, Step.EXCHANGE, "the broker answered invalid_client")


class Broker(ABC):
    """A broker, made from our registration there. It holds nothing that changes, and nothing secret."""

    id: str
    name: str
    expiry: Expiry
    scope: str = ""
    # Where grants are exchanged.
    token_endpoint: str
    # Whether a grant works only for the attempt that it was issued for.
    binds_grant: bool
    # Takes sessions that do not name the account although its grants are not bound.
    allow_unpinned: bool = False
    # The secrets it needs, by their names in the stack's secret.
    secret_names: frozenset[str]

    @abstractmethod
    def authorization(self, request: AuthorizationRequest) -> Link | Form:
        """Give the way to the broker's login page."""

    @abstractmethod
    def parameter(self, name: str) -> str | None:
        """Give the name under which `read_grant` and the rest find a callback's parameter; None: it is not read."""

    @property
    @abstractmethod
    def grant_parameter(self) -> str:
        """The callback parameter, as `parameter` gives it, that holds the grant."""

    def read_grant(self, value: Secret) -> Grant:
        """Read a grant, which is printable ASCII of 1 to 4,096 bytes."""
        return Grant(value)

    def accepts(self, parameters: Mapping[str, str]) -> bool:
        """Say whether the callback can be from this broker at all (RFC 9207: `iss`)."""
        del parameters
        return True

    def refusal(self, parameters: Mapping[str, str]) -> Code | None:
        """Give the failure that a callback reports; None where it reports none."""
        del parameters
        return None

    @abstractmethod
    def exchange(self, request: TokenRequest, secret: AppSecret, door: Door, now: int) -> IssuedToken:
        """Exchange the grant, sending it once.

        Raises `LoginError` for what the broker answered (`ClientRejected` where the grant was not looked at), and
        the errors of `outbound` where it did not answer.
        """

    def identify(self, token: IssuedToken, door: Door, now: int) -> str:
        """Give the account that the token is for; called again when it fails.

        Raises `LoginError(account_unknown)`, `LoginError(broker_unavailable)` and the errors of `outbound`.
        """
        del door, now
        return account_of(token.account)


def account_of(value: JsonValue) -> str:
    """Give an account as the broker wrote it. Raises `LoginError(account_unknown)` for anything that cannot be one."""
    if not isinstance(value, str) or not is_account(value):
        raise LoginError(Code.ACCOUNT_UNKNOWN, Step.IDENTIFY, "the broker's answer names no usable account")
    return value


def json_object(answer: Answer, step: Step) -> dict[str, JsonValue]:
    """Read an answer as a JSON object. Raises `LoginError(broker_error)`."""
    try:
        value = answer.json()
    except NotJson:
        raise LoginError(Code.BROKER_ERROR, step, f"HTTP {answer.status} without JSON") from None
    if not isinstance(value, dict):
        raise LoginError(Code.BROKER_ERROR, step, f"HTTP {answer.status} with JSON that is no object")
    return value


def check_available(answer: Answer, step: Step, now: int) -> None:
    """Raise `LoginError(broker_unavailable)` for 429 and 5xx, with the wait that the broker asks for."""
    if answer.status == 429 or answer.status >= 500:
        raise LoginError(
            Code.BROKER_UNAVAILABLE,
            step,
            f"HTTP {answer.status}",
            retry_at=_retry_at(answer.headers.get("retry-after"), now),
        )


def _retry_at(value: str | None, now: int) -> int | None:
    """Read Retry-After: seconds or an HTTP date (RFC 9110 §10.2.3); never more than a day ahead."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        at = now + int(value[:9])
    else:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):  # no date; a number in it that no date takes
            return None
        at = math.ceil((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    return min(at, now + _LONGEST_WAIT) if at > now else None
