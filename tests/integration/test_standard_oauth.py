"""The generic OAuth 2.0 class against an independent authorization server, by configuration alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import engines
from local.ports import Ports, reserve
from local.stack import Stack
from tests.integration.walker import Walker
from tests.privileges.watch import watched_stack
from tests.simulators.standard_oauth import AccountIn
from tests.simulators.standard_server import StandardServer, serve_standard_server


def app(server: StandardServer, **settings: Any) -> dict[str, Any]:
    return {
        "protocol": "oauth2",
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "authorization_endpoint": server.authorization_endpoint,
        "token_endpoint": server.token_endpoint,
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
    # The account comes from …
    "acme_get": (
        {"auth_method": "client_secret_basic"},
        lambda server: {"account": {"from": "get", "url": server.userinfo_endpoint, "path": "sub"}},
    ),
    "acme_token_response": (
        {"auth_method": "client_secret_post", "account_in": AccountIn.TOKEN_RESPONSE, "account_claim": "account"},
        lambda _: {"client_auth": "client_secret_post", "account": {"from": "token_response", "path": "account"}},
    ),
    "acme_id_token": (
        {"account_in": AccountIn.ID_TOKEN, "issuer_parameter": True},
        lambda server: {"issuer": server.url, "account": {"from": "id_token", "path": "sub"}},
    ),
    "acme_access_token": (
        {"account_in": AccountIn.ACCESS_TOKEN},
        lambda _: {"account": {"from": "access_token", "path": "sub"}, "token_hours": 24},
    ),
}


@dataclass(frozen=True)
class Configured:
    """A stack with a broker app for each configuration, and the server that each of them is an app at."""

    stack: Stack
    servers: dict[str, StandardServer]


@pytest.fixture(scope="module")
def configured(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Configured]:
    folder: Path = tmp_path_factory.mktemp("stack")
    # The servers have to know it before the stack is there.
    with reserve(0, "PORT") as free:
        port: int = free.getsockname()[1]
    with ExitStack() as running:
        servers = {
            broker: running.enter_context(serve_standard_server(redirect_uri=callback(port, broker), **served))
            for broker, (served, _) in CONFIGURATIONS.items()
        }
        file = folder / "brokers.local.toml"
        file.write_text(
            toml({broker: app(server, **settings_of(broker, server)) for broker, server in servers.items()})
        )
        ports, started = Ports(app=port, brokers=0, aws=0), running.enter_context(engines.start(engine))
        stack = watched_stack(started, ports=ports, brokers_file=file, logs=folder / "logs")
        yield Configured(running.enter_context(stack), servers)


def callback(port: int, broker: str) -> str:
    return f"http://127.0.0.1:{port}/callback/{broker}"


def settings_of(broker: str, server: StandardServer) -> dict[str, Any]:
    _, settings = CONFIGURATIONS[broker]
    return settings(server)


@pytest.mark.parametrize("broker", CONFIGURATIONS)
def test_standard_server_is_served_by_configuration_alone(configured: Configured, broker: str) -> None:
    server, stack = configured.servers[broker], configured.stack
    walker = Walker(stack)
    outcome = walker.result(walker.log_in(broker))
    assert outcome["status"] == "connected"
    row = walker.token_row(f"{broker}:{server.account}", f"{broker}#{server.account}")
    assert row is not None
    event = stack.received.wait_for(lambda each: each["id"] == outcome["attempt_id"])
    assert event["subject"] == f"{broker}/{server.account}"
    (form,) = server.token_requests
    assert form["redirect_uri"] == f"{stack.base_url}/callback/{broker}"
