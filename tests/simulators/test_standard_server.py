"""The standard server does what it is there for: whatever is not standard, it refuses."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from local.simulators.tokens import base64url
from tests.simulators.parties import basic, code_verifier, jwt_claims
from tests.simulators.standard_server import AccountIn, StandardServer, serve_standard_server
from tests.simulators.walk import callback_parameters, http, log_in

CALLBACK = "http://127.0.0.1:8000/callback/standard"
VERIFIER = code_verifier()


def authorization_url(server: StandardServer, **changes: str | None) -> str:
    parameters: dict[str, str | None] = {
        "response_type": "code",
        "client_id": server.client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid orders",
        "state": "a-state",
        "code_challenge": base64url(sha256(VERIFIER.encode()).digest()),
        "code_challenge_method": "S256",
    }
    sent = {name: value for name, value in {**parameters, **changes}.items() if value is not None}
    return f"{server.authorization_endpoint}?{urlencode(sent)}"


def exchange(server: StandardServer, code: str, *, post: bool = False, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    form |= {"client_id": server.client_id, "client_secret": server.client_secret} if post else {}
    headers = {} if post else {"Authorization": basic(server.client_id, server.client_secret)}
    return http.post(server.token_endpoint, data={**form, **changes}, headers=headers)


def logged_in(server: StandardServer) -> dict[str, Any]:
    code = callback_parameters(log_in(authorization_url(server)))["code"]
    answer: dict[str, Any] = exchange(server, code).json()
    return answer


@pytest.fixture
def server() -> Iterator[StandardServer]:
    with serve_standard_server(redirect_uri=CALLBACK) as running:
        yield running


def test_a_login_ends_with_the_account_from_userinfo(server: StandardServer) -> None:
    token = logged_in(server)
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert token["scope"] == "openid orders"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert http.get(server.userinfo_endpoint, headers=headers).json()["sub"] == server.account
    assert http.get(server.userinfo_endpoint, headers={"Authorization": "Bearer x"}).status_code == 401
    assert [request["grant_type"] for request in server.token_requests] == ["authorization_code"]


@pytest.mark.parametrize("account_in", list(AccountIn))
def test_the_account_is_told_where_it_should_be(account_in: AccountIn) -> None:
    with serve_standard_server(
        redirect_uri=CALLBACK, account_in=account_in, account_claim="client_code", account="AB12"
    ) as server:
        token = logged_in(server)
    told = {
        AccountIn.TOKEN_RESPONSE: token.get("client_code"),
        AccountIn.ID_TOKEN: jwt_claims(token["id_token"]).get("client_code"),
    }
    if account_in is AccountIn.ACCESS_TOKEN:
        told[AccountIn.ACCESS_TOKEN] = jwt_claims(token["access_token"])["client_code"]
    assert [where for where, account in told.items() if account == "AB12"] == (
        [] if account_in is AccountIn.USERINFO else [account_in]
    )


@pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post"])
def test_only_the_registered_client_authentication_counts(auth_method: str) -> None:
    registered_for_post = auth_method == "client_secret_post"
    with serve_standard_server(redirect_uri=CALLBACK, auth_method=auth_method) as server:
        code = callback_parameters(log_in(authorization_url(server)))["code"]
        wrong = exchange(server, code, post=not registered_for_post)
        assert wrong.json()["error"] == "invalid_client"
        assert exchange(server, code, post=registered_for_post).status_code == 200


def test_the_secret_is_percent_decoded(server: StandardServer) -> None:
    assert quote(server.client_secret, safe="") != server.client_secret
    assert logged_in(server)["access_token"]


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
    ],
)
def test_pkce_with_s256_is_required(server: StandardServer, changes: dict[str, str | None]) -> None:
    response = http.get(authorization_url(server, **changes))
    assert "invalid_request" in response.headers["Location"]


def test_a_wrong_verifier_and_a_second_exchange_are_refused(server: StandardServer) -> None:
    code = callback_parameters(log_in(authorization_url(server)))["code"]
    assert exchange(server, code, code_verifier=code_verifier()).json()["error"] == "invalid_grant"
    assert exchange(server, code).status_code == 200
    assert exchange(server, code).json()["error"] == "invalid_grant"


def test_a_foreign_redirect_uri_is_not_redirected_to(server: StandardServer) -> None:
    response = http.get(authorization_url(server, redirect_uri="https://evil.example/"))
    assert "evil.example" not in response.headers.get("Location", "")
    assert response.status_code == 400


def test_declining_is_access_denied(server: StandardServer) -> None:
    parameters = callback_parameters(log_in(authorization_url(server), "decline"))
    assert (parameters["error"], parameters["state"]) == ("access_denied", "a-state")


def test_the_callback_can_name_its_issuer() -> None:
    with serve_standard_server(redirect_uri=CALLBACK, issuer_parameter=True) as server:
        assert callback_parameters(log_in(authorization_url(server)))["iss"] == server.url
