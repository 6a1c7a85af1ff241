"""5paisa: the suite, and what is peculiar to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, override

import pytest

from brokerlink.brokers.base import AuthorizationRequest, Broker, Form
from brokerlink.brokers.fivepaisa import FivePaisa
from brokerlink.errors import Code, LoginError
from brokerlink.expiry import token_expiry
from brokerlink.secret import Secret
from brokerlink.web.callbacks import read_callback, read_parameters
from brokerlink.web.request import BadRequest
from tests.brokers.conformance import REDIRECT_URI, STATE, BrokerConformance, day
from tests.kit.world import MORNING, answer


def jwt(**claims: object) -> str:
    """Make a JWT, whose signature nobody here can check."""
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


ACCESS_TOKEN = jwt(unique_name="50052770", role="canary", exp=day(23, 59, 59))


def body(**fields: object) -> dict[str, Any]:
    """Make GetAccessToken's answer."""
    return {
        "head": {"Status": 0, "StatusDescription": "Success"},
        "body": {
            "AccessToken": ACCESS_TOKEN,
            "ClientCode": "50052770",
            "ClientName": "NAME",
            "Message": "Success",
            "RefreshToken": "canary-refresh-token",
            "Status": 0,
            **fields,
        },
    }


class TestFivePaisa(BrokerConformance):
    broker_id = "fivepaisa"
    app: Mapping[str, Any] = {"vendor_key": "vendor-key"}
    required_settings = frozenset({"vendor_key"})
    secret: Mapping[str, str] = {"encryption_key": "canary-encryption-key", "user_id": "canary-user"}
    account = "50052770"
    grant = jwt(unique_name="50052770", role="vendor-key", iat=MORNING, exp=MORNING + 30)
    identifies_by_request = False
    access_token = ACCESS_TOKEN
    token_failures = (
        (
            "expired",
            answer(body(Status=2, Message="Token Expired.", AccessToken="", ClientCode="")),
            Code.GRANT_REJECTED,
        ),
        ("reused", answer(body(Status=2, Message="Invalid Token", AccessToken="")), Code.GRANT_REJECTED),
        ("text status", answer(body(Status="2")), Code.GRANT_REJECTED),
        ("session", answer(body(Status=9, Message="Invalid Session")), Code.GRANT_REJECTED),
        ("password", answer(body(Status=1)), Code.GRANT_REJECTED),
        ("broker could not", answer(body(Status=-1)), Code.BROKER_UNAVAILABLE),
        ("bad key", answer({"head": {"Status": "2", "StatusDescription": "x"}, "body": None}), Code.APP_MISCONFIGURED),
        ("no body", answer({"head": {"Status": "2"}}), Code.APP_MISCONFIGURED),
        ("blocked key", answer({"head": {"Status": "-2"}, "body": None}), Code.APP_MISCONFIGURED),
        ("null body, good head", answer({"head": {"Status": 0}, "body": None}), Code.BROKER_ERROR),
        ("empty token", answer(body(AccessToken="")), Code.BROKER_ERROR),
        ("null token", answer(body(AccessToken=None)), Code.BROKER_ERROR),
        ("no client code", answer(body(ClientCode="")), Code.ACCOUNT_UNKNOWN),
        ("another's token", answer(body(ClientCode="50052771")), Code.ACCOUNT_UNKNOWN),
        ("status true", answer(body(Status=True)), Code.BROKER_ERROR),
        ("no status", answer(body(Status=None)), Code.BROKER_ERROR),
        ("unknown status", answer(body(Status=77)), Code.BROKER_ERROR),
    )

    @override
    def callback(self, state: str, grant: str) -> dict[str, str]:
        return {"RequestToken": grant, "state": state}

    @override
    def token_answer(self) -> dict[str, Any]:
        return body()

    def test_authorization_has_5paisa_s_own_names(self, broker: Broker) -> None:
        assert self.authorization_parameters(broker) == {
            "VendorKey": ["vendor-key"],
            "ResponseURL": [REDIRECT_URI],
            "State": [STATE],
        }

    def test_login_page_can_be_reached_by_post(self) -> None:
        request = AuthorizationRequest(state=Secret(STATE), redirect_uri=REDIRECT_URI, code_verifier=Secret("v"))
        form = self.make(login_method="post").authorization(request)
        assert isinstance(form, Form)
        assert form.action == "https://dev-openapi.5paisa.com/WebVendorLogin/VLogin/Index"
        assert form.fields == {"VendorKey": "vendor-key", "ResponseURL": REDIRECT_URI, "State": STATE}

    @pytest.mark.parametrize("token_name", ["RequestToken", "requesttoken", "REQUESTTOKEN", "request_token"])
    @pytest.mark.parametrize("state_name", ["state", "State", "STATE"])
    def test_callback_is_read_case_insensitively(self, broker: Broker, token_name: str, state_name: str) -> None:
        pairs = [(token_name, self.grant), (state_name, STATE)]
        callback = read_callback(broker, read_parameters(broker, pairs))
        assert callback.grant is not None
        assert callback.state.reveal() == STATE

    @pytest.mark.parametrize("twice", [("RequestToken", "request_token"), ("state", "State")])
    def test_one_parameter_under_two_names_is_refused(self, broker: Broker, twice: tuple[str, str]) -> None:
        pairs = [("RequestToken", self.grant), ("state", STATE)]
        extra = twice[0] if twice[0] not in dict(pairs) else twice[1]
        with pytest.raises(BadRequest):
            read_parameters(broker, [*pairs, (extra, "x")])

    def test_request_token_is_dead_a_minute_after_its_own_expiry(self, broker: Broker) -> None:
        assert broker.read_grant(Secret(self.grant)).send_before == MORNING + 90

    @pytest.mark.parametrize("token", ["opaque", "a.b.c", jwt(exp="soon"), jwt(exp=True), jwt(exp=-5), jwt()])
    def test_request_token_without_a_readable_expiry_is_sent(self, broker: Broker, token: str) -> None:
        assert broker.read_grant(Secret(token)).send_before is None

    def test_exchange_sends_the_documented_object_and_nothing_in_the_url(self, broker: Broker) -> None:
        _, door = self.issue(broker, answer(body()))
        (request,) = door.exchanged
        assert request.url == "https://Openapi.5paisa.com/VendorsAPI/Service1.svc/GetAccessToken"
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.body or b"") == {
            "head": {"Key": "vendor-key"},
            "body": {"RequestToken": self.grant, "EncryKey": "canary-encryption-key", "UserId": "canary-user"},
        }

    def test_token_carries_the_app_key_and_no_refresh_token(self, broker: Broker) -> None:
        token, _ = self.issue(broker, answer(body()))
        assert token.app_key == "vendor-key"
        assert "canary-refresh-token" not in repr(token)
        assert not [name for name in dir(token) if "refresh" in name]

    @pytest.mark.parametrize(
        ("exp", "issued_at", "expires_at"),
        [
            (day(23, 59, 59), day(9), day(23, 59, 59)),
            (day(24) + 3600, day(9), day(24)),
            (None, day(9), day(23, 59)),
            (None, day(23, 59, 30), day(24)),
        ],
    )
    def test_access_token_ends_at_its_own_expiry_and_never_past_midnight(
        self, broker: Broker, exp: int | None, issued_at: int, expires_at: int
    ) -> None:
        claims = {"unique_name": "50052770"} | ({} if exp is None else {"exp": exp})
        assert isinstance(broker, FivePaisa)
        token = broker.read_token(body(AccessToken=jwt(**claims)), issued_at)
        ends = token_expiry(broker.expiry, issued_at, lifetime=token.lifetime, claimed=token.claimed_expiry)
        assert ends == expires_at

    def test_opaque_access_token_is_taken(self, broker: Broker) -> None:
        token, _ = self.issue(broker, answer(body(AccessToken="opaque")))
        assert token.account == "50052770"

    def test_http_error_is_not_read_as_an_answer(self, broker: Broker) -> None:
        with pytest.raises(LoginError) as caught:
            self.issue(broker, answer(body(), 404))
        assert caught.value.code is Code.BROKER_ERROR
