"""The brokers of these tests, and what each answers to a login that ends well: with all that nobody needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from brokerlink.outbound import Answer
from tests.canaries.canaries import Canaries, Kind, canary

# What any encoding changes; the first of them also within a word.
ODD: Final = ":+%/ é\"<&>'"


@dataclass(frozen=True)
class Broker:
    """A broker: the account that its customer has, how its callback reads, and what it needs of us."""

    id: str
    account: str
    grant: str = "code"
    callback: Mapping[str, str] = field(default_factory=dict)
    binds_grant: bool = True
    asks_account: bool = False
    secrets: Mapping[str, str] = field(default_factory=lambda: {"client_secret": canary() + ODD})


BROKERS: Final[Mapping[str, Broker]] = {
    each.id: each
    for each in (
        Broker("pocketful", "YA0002", asks_account=True),
        Broker(
            "fivepaisa",
            "50052770",
            grant="RequestToken",
            binds_grant=False,
            secrets={"encryption_key": canary() + '"\\/+=', "user_id": canary()},
        ),
        Broker("acme", "AC-1", asks_account=True),
        Broker("acme_posted", "AC-2"),
        Broker("acme_by_id_token", "AC-3", callback={"iss": "https://acme.example.com"}),
        Broker("acme_by_access_token", "AC-4"),
    )
}
SECRETS: Final = {each.id: each.secrets for each in BROKERS.values()}


def apps(url: str | None = None) -> dict[str, Any]:
    """Give the public settings of all of them, at their own addresses or all at one."""
    ours, acme = {} if url is None else {"api_base": url}, url or "https://acme.example.com"
    standard = {
        "protocol": "oauth2",
        "client_id": "acme-client",
        "authorization_endpoint": f"{acme}/authorize",
        "token_endpoint": f"{acme}/token",
    }
    return {
        "pocketful": {"client_id": "Ybg3ab2VXM", **ours, **({"auth_base": url} if url else {})},
        "fivepaisa": {"vendor_key": "vendor-key", **ours, **({"login_base": url} if url else {})},
        "acme": standard | {"account": {"from": "get", "url": f"{acme}/me", "path": "data.client_id"}},
        "acme_posted": standard
        | {"account": {"from": "token_response", "path": "id"}, "client_auth": "client_secret_post"},
        "acme_by_id_token": standard
        | {"account": {"from": "id_token", "path": "sub"}, "issuer": "https://acme.example.com", "token_hours": 24},
        "acme_by_access_token": standard
        | {"account": {"from": "access_token", "path": "sub"}, "client_auth": "client_secret_basic_plain"},
    }


def told(value: object, status: int = 200, **headers: str) -> Answer:
    """Give an answer: bytes or a text as they are, anything else as JSON."""
    raw = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    return Answer(status, {name.replace("_", "-"): text for name, text in headers.items()}, raw)


def good(canaries: Canaries, broker: Broker, **changes: Any) -> list[Answer | str]:
    """Give the answers to a login that ends well; `changes` are made to the token response."""
    personal = {name: canaries.new(Kind.BROKERS_WORDS) for name in ("ClientName", "email")}
    claims = {"sub": broker.account, "aud": "acme-client", "iss": "https://acme.example.com"}
    access_token = canaries.new_jwt(Kind.ACCESS_TOKEN, unique_name=broker.account, sub=broker.account)
    refresh_token = canaries.new(Kind.REFRESH_TOKEN)
    cookie = f"session={canaries.new(Kind.BROKERS_COOKIE)}"
    if broker.id == "fivepaisa":
        body = {"Status": 0, "ClientCode": broker.account, "AccessToken": access_token, "RefreshToken": refresh_token}
        return [told({"head": {"Status": 0}, "body": body | personal | changes}, set_cookie=cookie)]
    issued = {
        "access_token": access_token,
        "refresh_token": refresh_token,
        "id_token": canaries.new_jwt(Kind.ID_TOKEN, **claims),
        "token_type": "bearer",
        "expires_in": 86_399,
        "scope": "orders holdings",
        "id": broker.account,
        **personal,
    }
    answers: list[Answer | str] = [told(issued | changes, set_cookie=cookie)]
    if broker.asks_account:
        answers.append(told({"status": "success", "data": {"client_id": broker.account, **personal}}))
    return answers
