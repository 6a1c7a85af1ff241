"""Clients that other people wrote complete their part against the simulators."""

import importlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError

from local.simulators import PocketfulClient, RunningSimulators
from tests.simulators.parties import CALLBACK, FIVEPAISA, OTHER_POCKETFUL, POCKETFUL, FivepaisaApp, PocketfulApp
from tests.simulators.walk import log_in


@pytest.fixture
def py5paisa_client(fivepaisa: FivepaisaApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # It imports pandas, for a second: nobody but its own tests should wait for that.
    py5paisa = importlib.import_module("py5paisa.py5paisa")
    monkeypatch.setattr(py5paisa, "ACCESS_TOKEN_ROUTE", fivepaisa.token_url)
    client = py5paisa.FivePaisaClient(
        cred={
            "APP_NAME": "",
            "APP_SOURCE": "",
            "USER_ID": FIVEPAISA.user_id,
            "PASSWORD": "",
            "USER_KEY": FIVEPAISA.vendor_key,
            "ENCRYPTION_KEY": FIVEPAISA.encryption_key,
        }
    )
    yield client
    client.session.close()


def authlib_session(client: PocketfulClient) -> OAuth2Session:
    return OAuth2Session(
        client.client_id,
        client.client_secret,
        scope="orders holdings",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )


def test_authlib_logs_in_at_pocketful(pocketful: PocketfulApp) -> None:
    verifier = "v" * 43
    with authlib_session(OTHER_POCKETFUL) as session:
        url, state = session.create_authorization_url(f"{pocketful.url}/oauth2/auth", code_verifier=verifier)
        token = session.fetch_token(
            f"{pocketful.url}/oauth2/token",
            authorization_response=log_in(url).headers["Location"],
            state=state,
            code_verifier=verifier,
        )
        assert (token["token_type"], token["scope"]) == ("bearer", "orders holdings")
        answer = session.get(f"{pocketful.url}/api/v1/user/trading_info").json()
        assert answer["data"]["client_id"] == "YA0002"


def test_authlib_does_not_encode_its_credentials_and_is_refused(pocketful: PocketfulApp) -> None:
    with authlib_session(POCKETFUL) as session:
        url, state = session.create_authorization_url(f"{pocketful.url}/oauth2/auth")
        location = log_in(url).headers["Location"]
        with pytest.raises(OAuthError) as refusal:
            session.fetch_token(f"{pocketful.url}/oauth2/token", authorization_response=location, state=state)
        assert refusal.value.error == "invalid_request"


def test_py5paisa_exchanges_a_request_token(fivepaisa: FivepaisaApp, py5paisa_client: Any) -> None:
    access_token = py5paisa_client.get_oauth_session(fivepaisa.request_token(account="51100284"))
    assert access_token
    assert py5paisa_client.client_code == "51100284"


def test_py5paisa_reads_a_refusal(fivepaisa: FivepaisaApp, py5paisa_client: Any) -> None:
    token = fivepaisa.request_token()
    assert py5paisa_client.get_oauth_session(token)
    assert py5paisa_client.get_oauth_session(token) is None


@pytest.mark.parametrize("name", ["pocketful", "fivepaisa"])
def test_requests_walks_through_the_login_with_nothing_but_patterns(
    simulators: RunningSimulators, pocketful: PocketfulApp, fivepaisa: FivepaisaApp, name: str
) -> None:
    url = pocketful.authorization_url() if name == "pocketful" else fivepaisa.login_url()
    with requests.Session() as session:
        page = session.get(url, timeout=10)
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text.partition("<button")[0]))
        assert action is not None
        answer = session.post(simulators.url + action[1], data=fields, allow_redirects=False, timeout=10)
    assert urlsplit(answer.headers["Location"]).path == f"/callback/{name}"


def test_a_pooled_client_reuses_its_connection(pocketful: PocketfulApp) -> None:
    with httpx.Client(timeout=10, trust_env=False) as pooled:
        streams = {
            id(pooled.get(f"{pocketful.url}/api/v1/user/trading_info").extensions["network_stream"]) for _ in range(3)
        }
    assert len(streams) == 1
