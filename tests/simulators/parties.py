"""The two sides of the tests: a clock to turn, and apps that are registered at the simulators."""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx

from local.simulators import RunningSimulators, SimulatorClients
from local.simulators.clients import FivepaisaClient, PocketfulClient
from local.simulators.tokens import base64url
from tests.simulators.walk import callback_parameters, http, log_in

CALLBACK = "http://127.0.0.1:8000/callback/pocketful"
STATE = "state-of-sufficient-length"
NINE_IN_THE_MORNING = 1_700_019_000  # 2023-11-15 09:00:00 IST

DEMO_SECRET = "demo:5+5 is 100%/día"
POCKETFUL = PocketfulClient("Qd7mK2xw9B", DEMO_SECRET, (CALLBACK,))
OTHER_POCKETFUL = PocketfulClient("An0therApp", "plainsecret", (CALLBACK, "https://app.example/cb?kept=1&code=x"))
FIVEPAISA = FivepaisaClient("vendor-key-of-the-app", "encryption-key-of-the-app", "user-id-of-the-app")
OTHER_FIVEPAISA = FivepaisaClient("vendor-key-of-another", "encryption-key-of-another", "user-id-of-another")
CLIENTS = SimulatorClients((POCKETFUL, OTHER_POCKETFUL), (FIVEPAISA, OTHER_FIVEPAISA))


class TurnedClock:
    """A clock that stands still until it is turned."""

    def __init__(self, now: float = NINE_IN_THE_MORNING) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def basic(client_id: str, client_secret: str, *, encoded: bool = True) -> str:
    """The Authorization header, form-encoded as RFC 6749 §2.3.1 asks or as most clients send it."""
    halves = [quote_plus(half) if encoded else half for half in (client_id, client_secret)]
    return "Basic " + base64.b64encode(":".join(halves).encode()).decode("ascii")


@dataclass(frozen=True)
class PocketfulApp:
    """An app that speaks to the Pocketful simulator, right unless a test tells it otherwise."""

    url: str
    client: PocketfulClient = POCKETFUL

    def authorization_url(self, **changes: str | None) -> str:
        """`None` leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": CALLBACK,
            "scope": "orders holdings",
            "state": STATE,
        }
        sent = {name: value for name, value in {**parameters, **changes}.items() if value is not None}
        return f"{self.url}/oauth2/auth?{urlencode(sent)}"

    def code(self, **changes: str | None) -> str:
        return callback_parameters(log_in(self.authorization_url(**changes)))["code"]

    def exchange(self, code: str, *, authorization: str | None = None, **changes: str | None) -> httpx.Response:
        form: dict[str, str | None] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        sent = {name: value for name, value in {**form, **changes}.items() if value is not None}
        if authorization is None:
            authorization = basic(self.client.client_id, self.client.client_secret)
        headers = {"Authorization": authorization} if authorization else {}
        return http.post(f"{self.url}/oauth2/token", data=sent, headers=headers)

    def trading_info(self, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return http.get(f"{self.url}/api/v1/user/trading_info", headers=headers)


@dataclass(frozen=True)
class FivepaisaApp:
    """A partner that speaks to the 5paisa simulator, right unless a test tells it otherwise."""

    url: str
    client: FivepaisaClient = FIVEPAISA

    def login_url(self, **changes: str | None) -> str:
        """`None` leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "VendorKey": self.client.vendor_key,
            "ResponseURL": "http://127.0.0.1:8000/callback/fivepaisa",
            "State": STATE,
        }
        sent = {name: value for name, value in {**parameters, **changes}.items() if value is not None}
        return f"{self.url}/WebVendorLogin/VLogin/Index?{urlencode(sent)}"

    def request_token(self, **fields: str) -> str:
        return callback_parameters(log_in(self.login_url(), "login", **fields))["RequestToken"]

    def order(self, token: str) -> dict[str, dict[str, str]]:
        """The body of GetAccessToken."""
        return {
            "head": {"Key": self.client.vendor_key},
            "body": {
                "RequestToken": token,
                "EncryKey": self.client.encryption_key,
                "UserId": self.client.user_id,
            },
        }

    def post(self, order: object) -> dict[str, Any]:
        """Sends any JSON; the answer's, which always comes with HTTP 200."""
        response = http.post(self.token_url, json=order)
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer

    @property
    def token_url(self) -> str:
        return f"{self.url}/VendorsAPI/Service1.svc/GetAccessToken"


def jwt_claims(token: str) -> dict[str, Any]:
    """A JWT's claims, unverified as every client of 5paisa must take them."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def code_verifier() -> str:
    return base64url(secrets.token_bytes(32))


def set_fault(simulators: RunningSimulators, **order: object) -> httpx.Response:
    """Tells the simulators to fail as somebody at a terminal does."""
    return http.post(f"{simulators.url}/simulator/faults", json=order)
