"""Pocketful: the suite, and what is peculiar to it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, override
from urllib.parse import parse_qs, unquote_plus

import pytest

from brokerlink.brokers.base import AuthorizationRequest, Broker, Link
from brokerlink.errors import Code, LoginError
from brokerlink.secret import Secret
from brokerlink.web.callbacks import read_callback, read_parameters
from tests.brokers.conformance import REDIRECT_URI, STATE, TOKEN, BrokerConformance, FakeDoor
from tests.kit.world import MORNING, answer

SECRET = "s3cret:+%/ é&="


class TestPocketful(BrokerConformance):
    broker_id = "pocketful"
    app: Mapping[str, Any] = {"client_id": "Ybg3ab2VXM"}
    required_settings = frozenset({"client_id"})
    secret: Mapping[str, str] = {"client_secret": SECRET}
    identifies_by_request = True
    token_failures = (
        ("replayed code", answer({"error": "invalid_grant"}, 400), Code.GRANT_REJECTED),
        ("wrong secret", answer({"error": "invalid_client"}, 401), Code.APP_MISCONFIGURED),
        ("old fosite's redirect mismatch", answer({"error": "invalid_request"}, 400), Code.APP_MISCONFIGURED),
        ("not allowed", answer({"error": "unauthorized_client"}, 400), Code.APP_MISCONFIGURED),
        ("grant type", answer({"error": "unsupported_grant_type"}, 400), Code.APP_MISCONFIGURED),
        ("scope", answer({"error": "invalid_scope"}, 400), Code.APP_MISCONFIGURED),
        ("server error", answer({"error": "server_error"}, 500), Code.BROKER_UNAVAILABLE),
        ("unavailable", answer({"error": "temporarily_unavailable"}, 503), Code.BROKER_UNAVAILABLE),
        ("error with 200", answer({"error": "invalid_grant", "access_token": TOKEN}), Code.GRANT_REJECTED),
        ("unknown error", answer({"error": "canary-made-up"}, 400), Code.BROKER_ERROR),
        ("error of an odd type", answer({"error": {"code": 1}}, 400), Code.BROKER_ERROR),
        ("mac token", answer({"access_token": TOKEN, "token_type": "mac"}), Code.BROKER_ERROR),
        (
            "no time to live",
            answer({"access_token": TOKEN, "token_type": "bearer", "expires_in": 0}),
            Code.BROKER_ERROR,
        ),
        ("negative", answer({"access_token": TOKEN, "token_type": "bearer", "expires_in": -5}), Code.BROKER_ERROR),
        ("bool", answer({"access_token": TOKEN, "token_type": "bearer", "expires_in": True}), Code.BROKER_ERROR),
    )
    identity_failures = (
        ("call failed", {"status": "error", "message": "Request forbidden", "error_code": 40000, "data": {}}),
        ("the customer's status is not the call's", {"data": {"client_id": "YA0002", "status": "success"}}),
        ("no client id", {"status": "success", "data": {"status": "active"}}),
        ("a number", {"status": "success", "data": {"client_id": 2}}),
        ("a path", {"status": "success", "data": {"client_id": "../YA0002"}}),
        ("too long", {"status": "success", "data": {"client_id": "Y" * 65}}),
    )

    @override
    def callback(self, state: str, grant: str) -> dict[str, str]:
        return {"code": grant, "scope": "orders holdings", "state": state}

    @override
    def token_answer(self) -> dict[str, Any]:
        return {"access_token": TOKEN, "expires_in": 86399, "scope": "orders holdings", "token_type": "bearer"}

    @override
    def identity_answer(self) -> Any:
        return {
            "data": {"bo_id": ["1209981234567270"], "client_id": "YA0002", "name": "CLIENT NAME", "status": "active"},
            "message": "",
            "status": "success",
        }

    def test_authorization_spells_redirect_uri_with_an_underscore(self, broker: Broker) -> None:
        parameters = self.authorization_parameters(broker)
        assert "redirect-uri" not in parameters
        assert parameters["redirect_uri"] == [REDIRECT_URI]
        assert parameters["scope"] == ["orders holdings"]
        assert parameters["response_type"] == ["code"]
        assert parameters["client_id"] == ["Ybg3ab2VXM"]
        assert parameters["code_challenge_method"] == ["S256"]

    def test_pkce_can_be_switched_off(self) -> None:
        broker = self.make(pkce=False)
        assert not {"code_challenge", "code_challenge_method"} & self.authorization_parameters(broker).keys()
        _, door = self.issue(broker, answer(self.token_answer()))
        assert b"code_verifier" not in (door.exchanged[0].body or b"")

    def test_credentials_are_form_encoded_basic_and_never_in_the_body(self, broker: Broker) -> None:
        _, door = self.issue(broker, answer(self.token_answer()))
        (request,) = door.exchanged
        scheme, _, encoded = request.headers["Authorization"].partition(" ")
        user, _, password = base64.b64decode(encoded).decode("ascii").partition(":")
        assert (scheme, unquote_plus(user), unquote_plus(password)) == ("Basic", "Ybg3ab2VXM", SECRET)
        form = parse_qs((request.body or b"").decode())
        assert form.keys() == {"grant_type", "code", "redirect_uri", "code_verifier"}
        assert form["redirect_uri"] == [REDIRECT_URI]
        assert form["grant_type"] == ["authorization_code"]
        assert request.url == "https://trade.pocketful.in/oauth2/token"
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"

    @pytest.mark.parametrize("token_type", ["bearer", "Bearer", "BEARER"])
    def test_token_type_is_read_in_any_case(self, broker: Broker, token_type: str) -> None:
        token, _ = self.issue(broker, answer({**self.token_answer(), "token_type": token_type}))
        assert token.token_type == "bearer"

    @pytest.mark.parametrize(
        ("expires_in", "lifetime"), [(86399, 86399), ("86399", 86399), (86399.9, 86399), (1e12, 10**10), (None, None)]
    )
    def test_expires_in_is_read_in_all_its_shapes(
        self, broker: Broker, expires_in: object, lifetime: int | None
    ) -> None:
        token, _ = self.issue(broker, answer({**self.token_answer(), "expires_in": expires_in}))
        assert token.lifetime == lifetime

    def test_scope_is_the_granted_one(self, broker: Broker) -> None:
        token, _ = self.issue(broker, answer({**self.token_answer(), "scope": "orders"}))
        assert token.scope == "orders"

    @pytest.mark.parametrize("status", ["success", True])
    def test_trading_info_succeeds_with_either_status(self, broker: Broker, status: object) -> None:
        token, _ = self.issue(broker, answer(self.token_answer()))
        door = FakeDoor(answer({**self.identity_answer(), "status": status}))
        assert broker.identify(token, door, MORNING) == "YA0002"
        (request,) = door.asked
        assert request.url == "https://trade.pocketful.in/api/v1/user/trading_info"
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"

    def test_hosts_of_login_and_trading_may_part(self) -> None:
        broker = self.make(auth_base="https://auth.example/", api_base="https://api.example/v9")
        token, door = self.issue(broker, answer(self.token_answer()))
        assert door.exchanged[0].url == "https://auth.example/oauth2/token"
        asking = FakeDoor(answer(self.identity_answer()))
        broker.identify(token, asking, MORNING)
        assert asking.asked[0].url == "https://api.example/v9/api/v1/user/trading_info"

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            ("access_denied", Code.DENIED),
            ("request_denied", Code.DENIED),
            ("consent_required", Code.DENIED),
            ("server_error", Code.BROKER_UNAVAILABLE),
            ("temporarily_unavailable", Code.BROKER_UNAVAILABLE),
            ("invalid_scope", Code.APP_MISCONFIGURED),
            ("unauthorized_client", Code.APP_MISCONFIGURED),
            ("invalid_state", Code.APP_MISCONFIGURED),
            ("never_heard_of", Code.BROKER_ERROR),
            ("<script>", Code.BROKER_ERROR),
        ],
    )
    def test_any_error_in_the_callback_is_a_failure(self, broker: Broker, error: str, code: Code) -> None:
        pairs = [("error", error), ("error_description", "x"), ("error_hint", "y"), ("state", STATE)]
        callback = read_callback(broker, read_parameters(broker, pairs))
        assert (callback.grant, callback.refusal) == (None, code)

    def test_error_beside_a_code_is_still_a_failure(self, broker: Broker) -> None:
        pairs = [("error", "access_denied"), ("code", self.grant), ("state", STATE)]
        assert read_callback(broker, read_parameters(broker, pairs)).grant is None

    def test_invalid_client_is_told_apart_since_the_code_is_unspent(self, broker: Broker) -> None:
        with pytest.raises(LoginError, match="invalid_client") as caught:
            self.issue(broker, answer({"error": "invalid_client"}, 401))
        assert type(caught.value).__name__ == "ClientRejected"

    def test_authorization_goes_to_the_documented_endpoint(self, broker: Broker) -> None:
        request = AuthorizationRequest(state=Secret(STATE), redirect_uri=REDIRECT_URI, code_verifier=Secret("v"))
        made = broker.authorization(request)
        assert isinstance(made, Link)
        assert made.url.partition("?")[0] == "https://trade.pocketful.in/oauth2/auth"
