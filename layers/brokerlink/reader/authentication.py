"""How each broker's API wants to be called with its token: the headers, and what a JSON body is wrapped in.

It is here and not in the broker's own file because that one brings the HTTP client of the logins, which a consumer
does not need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, override

from brokerlink.secret import Secret

if TYPE_CHECKING:  # a token is made of this module
    from brokerlink.reader.token import BrokerToken


class AuthHeaders(Mapping[str, str]):
    """HTTP headers, as `requests` and `httpx` take them; `repr` and JSON encoders do not come by their values."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: Secret(value) for name, value in values.items()}

    @override
    def __getitem__(self, name: str) -> str:
        return self._values[name].reveal()

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @override
    def __len__(self) -> int:
        return len(self._values)

    @override
    def __repr__(self) -> str:
        return f"AuthHeaders({', '.join(self._values)})"


class Api(NamedTuple):
    """One broker's way to be called. `envelope` wraps what a call says; None: the API takes it as it is."""

    headers: Callable[[BrokerToken], Mapping[str, str]]
    envelope: Callable[[BrokerToken, Mapping[str, Any]], dict[str, Any]] | None = None


def _bearer(token: BrokerToken) -> Mapping[str, str]:
    """RFC 6750 §2.1. Pocketful's page writes it so for `trade.pocketful.in`."""
    return {"Authorization": f"Bearer {token.access_token}"}


def _fivepaisa_envelope(token: BrokerToken, body: Mapping[str, Any]) -> dict[str, Any]:
    """5paisa's calls have a head with the app's key and a body with the customer's code; source: py5paisa 0.7.21.2."""
    return {"head": {"key": token.app_key}, "body": {"ClientCode": token.account, **body}}


_BEARER: Final = Api(_bearer)
_APIS: Final[Mapping[str, Api]] = {
    "pocketful": _BEARER,
    "fivepaisa": Api(_bearer, _fivepaisa_envelope),
}


def api_of(token: BrokerToken) -> Api:
    """Give the way of the token's broker. A broker of one's own is an OAuth 2.0 one: RFC 6750, if its token says so.

    Raises `LookupError`: it says something else, and only the broker's page can tell how it is sent.
    """
    api = _APIS.get(token.broker)
    if api is None and token.token_type.lower() == "bearer":
        api = _BEARER
    if api is None:
        raise LookupError(f"how a token of {token.broker} is sent is not known: it is no bearer token")
    return api
