"""The generic OAuth 2.0 class against an independent authorization server, by configuration alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.ports import Ports
from local.stack import Stack
from tests.integration.walker import Walker
from tests.simulators.standard_oauth import AccountIn
from tests.simulators.standard_server import StandardServer, serve_standard_server

PORT = 18_231
CALLBACK = f"http://127.0.0.1:{PORT}/callback/acme"


def app(server: StandardServer, **settings: Any) -> dict[str, Any]:
    return {
        "protocol": "oauth2",
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "scope": "openid orders",
        **settings,
    }


def toml(tables: dict[str, dict[str, Any]]) -> str:
    """Write brokers.local.toml; a JSON text, list or number is TOML too, and objects become inline tables."""

    def value(given: Any) -> str:
        if isinstance(given, dict):
            return "{" + ", ".join(f"{json.dumps(name)} = {value(each)}" for name, each in given.items()) + "}"
        return json.dumps(given)

    return "\n".join(
        f"[{name}]\n" + "\n".join(f"{each} = {value(given)}" for each, given in table.items())
        for name, table in tables.items()
    )


CONFIGURATIONS: dict[str, tuple[dict[str, Any], Callable[[StandardServer], dict[str, Any]]]] = {
    "basic, account from a GET": (
        {"auth_method": "client_secret_basic"},
        lambda server: {"account": {"from": "get", "url": server.userinfo_endpoint, "path": "sub"}},
    ),
    "secret in the body, account in the token response": (
        {"auth_method": "client_secret_post", "account_in": AccountIn.TOKEN_RESPONSE, "account_claim": "account"},
        lambda _: {"client_auth": "client_secret_post", "account": {"from": "token_response", "path": "account"}},
    ),
    "issuer named, account in the id_token": (
        {"account_in": AccountIn.ID_TOKEN, "issuer_parameter": True},
        lambda server: {"issuer": server.url, "account": {"from": "id_token", "path": "sub"}},
    ),
    "account in the access token": (
        {"account_in": AccountIn.ACCESS_TOKEN},
        lambda _: {"account": {"from": "access_token", "path": "sub"}, "token_hours": 24},
    ),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_standard_server_is_served_by_configuration_alone(name: str, tmp_path: Path) -> None:
    served, settings = CONFIGURATIONS[name]
    with serve_standard_server(redirect_uri=CALLBACK, **served) as server:
        own = app(
            server,
            authorization_endpoint=server.authorization_endpoint,
            token_endpoint=server.token_endpoint,
            **settings(server),
        )
        file = tmp_path / "brokers.local.toml"
        file.write_text(toml({"acme": own}))
        with Stack(Ports(app=PORT, brokers=0, aws=0), brokers_file=file, logs=tmp_path / "logs") as stack:
            walker = Walker(stack)
            outcome = walker.result(walker.log_in("acme"))
            assert outcome["status"] == "connected"
            row = walker.token_row(f"acme:{server.account}", f"acme#{server.account}")
            assert row is not None
            event = stack.received.wait_for(lambda each: each["id"] == outcome["attempt_id"])
            assert event["subject"] == f"acme/{server.account}"
        (form,) = server.token_requests
        assert form["redirect_uri"] == CALLBACK
