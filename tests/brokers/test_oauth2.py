"""A standard OAuth 2.0 broker by configuration alone: the suite in each way of configuring it."""

from __future__ import annotations

import ast
import base64
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, override
from urllib.parse import parse_qs

import pytest

from brokerlink.brokers import Brokers, make_broker
from brokerlink.brokers.base import Broker
from brokerlink.errors import Code, LoginError, SettingError
from brokerlink.web.callbacks import read_callback, read_parameters
from brokerlink.web.request import BadRequest
from tests.brokers.conformance import STATE, TOKEN, BrokerConformance, FakeDoor, day
from tests.brokers.test_fivepaisa import jwt
from tests.kit.world import MORNING, answer

APP = {
    "protocol": "oauth2",
    "name": "Acme",
    "client_id": "acme-client",
    "authorization_endpoint": "https://login.acme.example/authorize?tenant=in",
    "token_endpoint": "https://api.acme.example/token",
    "scope": "trade read",
    "account": {"from": "token_response", "path": "user.id"},
}


class TestAccountInTokenResponse(BrokerConformance):
    broker_id = "acme"
    app: Mapping[str, Any] = APP
    required_settings = frozenset({"client_id", "authorization_endpoint", "token_endpoint", "account", "protocol"})
    secret: Mapping[str, str] = {"client_secret": "canary:secret"}
    account = "AC-1.x_Y"
    identifies_by_request = False

    @override
    def callback(self, state: str, grant: str) -> dict[str, str]:
        return {"code": grant, "state": state}

    @override
    def token_answer(self) -> dict[str, Any]:
        return {"access_token": self.access_token, "token_type": "Bearer", "user": {"id": self.account}}

    def test_query_of_the_endpoint_is_kept(self, broker: Broker) -> None:
        assert self.authorization_parameters(broker)["tenant"] == ["in"]


class TestAccountFromGet(TestAccountInTokenResponse):
    app: Mapping[str, Any] = {
        **APP,
        "account": {"from": "get", "url": "https://api.acme.example/me", "path": "data.id"},
        "client_auth": "client_secret_post",
        "headers": {"X-Device-Type": "WEB"},
        "authorization_parameters": {"prompt": "login"},
    }
    identifies_by_request = True

    @override
    def identity_answer(self) -> Any:
        return {"data": {"id": self.account}}

    def test_credentials_go_into_the_body_and_nowhere_else(self, broker: Broker) -> None:
        _, door = self.issue(broker, answer(self.token_answer()))
        (request,) = door.exchanged
        form = parse_qs((request.body or b"").decode())
        assert (form["client_id"], form["client_secret"]) == (["acme-client"], ["canary:secret"])
        assert "Authorization" not in request.headers

    def test_further_parameters_and_headers_are_sent(self, broker: Broker) -> None:
        assert self.authorization_parameters(broker)["prompt"] == ["login"]
        token, door = self.issue(broker, answer(self.token_answer()))
        assert door.exchanged[0].headers["X-Device-Type"] == "WEB"
        asking = FakeDoor(answer(self.identity_answer()))
        broker.identify(token, asking, MORNING)
        assert asking.asked[0].headers["X-Device-Type"] == "WEB"


class TestAccountInIdToken(TestAccountInTokenResponse):
    app: Mapping[str, Any] = {
        **APP,
        "account": {"from": "id_token", "path": "sub"},
        "client_auth": "client_secret_basic_plain",
        "issuer": "https://login.acme.example",
        "day_ends": "03:30",
    }

    @override
    def callback(self, state: str, grant: str) -> dict[str, str]:
        return {"code": grant, "state": state, "iss": "https://login.acme.example"}

    @override
    def token_answer(self) -> dict[str, Any]:
        claims = {"sub": self.account, "aud": ["acme-client"], "iss": "https://login.acme.example"}
        return {"access_token": TOKEN, "token_type": "Bearer", "id_token": jwt(**claims)}

    def test_basic_can_be_plain(self, broker: Broker) -> None:
        _, door = self.issue(broker, answer(self.token_answer()))
        encoded = door.exchanged[0].headers["Authorization"].removeprefix("Basic ")
        assert base64.b64decode(encoded) == b"acme-client:canary:secret"

    @pytest.mark.parametrize(
        "claims",
        [
            {"sub": "AC-1", "aud": "somebody-else", "iss": "https://login.acme.example"},
            {"sub": "AC-1", "iss": "https://login.acme.example"},
            {"sub": "AC-1", "aud": "acme-client", "iss": "https://evil.example"},
            {"sub": "", "aud": "acme-client", "iss": "https://login.acme.example"},
            {"sub": 7, "aud": "acme-client", "iss": "https://login.acme.example"},
        ],
    )
    def test_id_token_for_somebody_else_names_no_account(self, broker: Broker, claims: dict[str, object]) -> None:
        token, _ = self.issue(broker, answer({**self.token_answer(), "id_token": jwt(**claims)}))
        with pytest.raises(LoginError) as caught:
            broker.identify(token, FakeDoor(), MORNING)
        assert caught.value.code is Code.ACCOUNT_UNKNOWN

    @pytest.mark.parametrize("iss", [None, "https://evil.example", "https://login.acme.example/", ""])
    def test_mix_up_with_another_issuer_touches_nothing(self, broker: Broker, iss: str | None) -> None:
        pairs = [("code", self.grant), ("state", STATE), *([] if iss is None else [("iss", iss)])]
        with pytest.raises(BadRequest):
            read_callback(broker, read_parameters(broker, pairs))

    def test_day_ends_when_the_setting_says(self, broker: Broker) -> None:
        assert broker.expiry.end(day(3, 29, 59)) == day(3, 30)
        assert broker.expiry.end(day(3, 30)) == day(27, 30)


class TestAccountInAccessToken(TestAccountInTokenResponse):
    app: Mapping[str, Any] = {
        **APP,
        "account": {"from": "access_token", "path": "client.code"},
        "pkce": False,
        "token_hours": 24,
    }
    access_token = jwt(client={"code": "AC-1.x_Y"}, exp=day(20))

    @override
    def token_answer(self) -> dict[str, Any]:
        return {"access_token": self.access_token}

    def test_token_s_own_expiry_counts(self, broker: Broker) -> None:
        token, _ = self.issue(broker, answer(self.token_answer()))
        assert token.claimed_expiry == day(20)
        assert broker.expiry.end(MORNING) == MORNING + 86_400


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"protocol": "oauth1"}, "BrokerApps.acme.protocol"),
        ({"token_endpoint": "http://api.acme.example/token"}, "BrokerApps.acme.token_endpoint"),
        ({"token_endpoint": "http://127.0.0.1:9000/token"}, "BrokerApps.acme.token_endpoint"),
        ({"token_endpoint": "https://canary@api.acme.example/"}, "BrokerApps.acme.token_endpoint"),
        ({"token_endpoint": "https://api.acme.example/#canary"}, "BrokerApps.acme.token_endpoint"),
        ({"token_endpoint": "https:///token"}, "BrokerApps.acme.token_endpoint"),
        ({"token_endpoint": "javascript:canary"}, "BrokerApps.acme.token_endpoint"),
        ({"client_id": ""}, "BrokerApps.acme.client_id"),
        ({"client_id": 7}, "BrokerApps.acme.client_id"),
        ({"client_auth": "canary"}, "BrokerApps.acme.client_auth"),
        ({"pkce": "canary"}, "BrokerApps.acme.pkce"),
        ({"scope": 'a "canary"'}, "BrokerApps.acme.scope"),
        ({"authorization_parameters": {"state": "canary"}}, "BrokerApps.acme.authorization_parameters"),
        ({"authorization_parameters": {"a": 1}}, "BrokerApps.acme.authorization_parameters.a"),
        ({"authorization_parameters": "canary"}, "BrokerApps.acme.authorization_parameters"),
        ({"headers": {"X": "a\r\nb: canary"}}, "BrokerApps.acme.headers.X"),
        ({"account": "canary"}, "BrokerApps.acme.account"),
        ({"account": {"from": "canary", "path": "a"}}, "BrokerApps.acme.account.from"),
        ({"account": {"from": "get", "path": "a"}}, "BrokerApps.acme.account.url"),
        ({"account": {"path": "a..b"}}, "BrokerApps.acme.account.path"),
        ({"account": {"path": "a", "misspelt": "canary"}}, "BrokerApps.acme.account.misspelt"),
        ({"day_ends": "24:00"}, "BrokerApps.acme.day_ends"),
        ({"day_ends": "3:30"}, "BrokerApps.acme.day_ends"),
        ({"token_hours": 25}, "BrokerApps.acme.token_hours"),
        ({"token_hours": True}, "BrokerApps.acme.token_hours"),
        ({"client_secret": "canary"}, "BrokerApps.acme.client_secret"),
    ],
)
def test_bad_setting_is_named_and_never_shown(change: dict[str, Any], setting: str) -> None:
    with pytest.raises(SettingError) as caught:
        make_broker("acme", {**APP, **change})
    assert caught.value.setting == setting
    assert "canary" not in str(caught.value)


def test_plain_http_endpoints_are_for_loopback_alone() -> None:
    app = {**APP, "token_endpoint": "http://127.0.0.1:9000/token"}
    assert make_broker("acme", app, loopback=True).id == "acme"
    with pytest.raises(SettingError):
        make_broker("acme", {**APP, "token_endpoint": "http://127.0.0.1.evil.example/"}, loopback=True)


@pytest.mark.parametrize("broker_id", ["base", "account", "door", "nosuch", "oauth2", "", "Acme", "../x", "a" * 40])
def test_id_that_names_no_shipped_broker_is_refused(broker_id: str) -> None:
    with pytest.raises(SettingError):
        make_broker(broker_id, {"client_id": "x"})


def test_one_broken_broker_is_off_alone() -> None:
    brokers = Brokers({"pocketful": {}, "acme": APP, "fivepaisa": {"vendor_key": "k"}})
    assert set(brokers.on) == {"acme", "fivepaisa"}
    assert brokers.off["pocketful"].setting == "BrokerApps.pocketful.client_id"


def test_generic_class_runs_without_a_shipped_broker_s_code() -> None:
    file = Path(str(sys.modules["brokerlink.brokers.oauth2"].__file__))
    for module in (file, file.with_name("account.py"), file.with_name("base.py"), file.with_name("__init__.py")):
        text = ast.dump(ast.parse(module.read_text()))
        assert "pocketful" not in text.lower()
        assert "fivepaisa" not in text.lower()
