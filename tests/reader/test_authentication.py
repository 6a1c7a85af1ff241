"""How each broker is called with its token: as its own page, or its own SDK, has it."""

from __future__ import annotations

import pkgutil
from dataclasses import replace

import httpx
import pytest
import requests

from brokerlink import brokers
from brokerlink.reader import BrokerToken
from brokerlink.reader.authentication import _APIS
from tests.reader.test_token import TOKEN

# What is in brokers/ and is no broker.
SHARED = {"account", "base", "door", "oauth2"}
FIVEPAISA = replace(TOKEN, broker="fivepaisa", account="50052770", app_key="vendor-key")


def test_every_broker_that_ships_has_its_way() -> None:
    shipped = {module.name for module in pkgutil.iter_modules(brokers.__path__)} - SHARED
    assert shipped == _APIS.keys()


@pytest.mark.parametrize("token", [TOKEN, FIVEPAISA, replace(TOKEN, broker="acme", token_type="Bearer")])
def test_the_token_is_a_bearer_token(token: BrokerToken) -> None:
    assert dict(token.headers) == {"Authorization": "Bearer canary-access-token"}
    assert "authorization" not in token.headers, "as written; HTTP clients do not care"


def test_a_body_of_fivepaisa_has_a_head() -> None:
    assert FIVEPAISA.envelope() == {"head": {"key": "vendor-key"}, "body": {"ClientCode": "50052770"}}
    assert FIVEPAISA.envelope({"Qty": 1})["body"] == {"ClientCode": "50052770", "Qty": 1}


def test_a_body_of_others_is_your_own() -> None:
    mine = {"quantity": 1}
    assert TOKEN.envelope(mine) == mine
    assert TOKEN.envelope() == {}
    assert TOKEN.envelope(mine) is not mine


def test_a_kind_of_token_that_nobody_knows_is_not_guessed_at() -> None:
    token = replace(TOKEN, broker="acme", token_type="mac")
    with pytest.raises(LookupError, match="acme") as raised:
        _ = token.headers
    assert "canary" not in str(raised.value)
    with pytest.raises(LookupError, match="acme"):
        token.envelope()


def test_http_clients_take_the_headers() -> None:
    prepared = requests.Request("GET", "https://broker.example/", headers=TOKEN.headers).prepare()
    assert prepared.headers["authorization"] == "Bearer canary-access-token"
    assert httpx.Request("GET", "https://broker.example/", headers=TOKEN.headers).headers["authorization"] == (
        "Bearer canary-access-token"
    )
