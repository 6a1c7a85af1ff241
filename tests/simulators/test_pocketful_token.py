"""The token endpoint is as strict as fosite's: credentials, codes, replay, PKCE."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlencode

import httpx
import pytest

from local.simulators import RunningSimulators
from local.simulators.tokens import base64url
from tests.simulators.parties import (
    CALLBACK,
    DEMO_SECRET,
    OTHER_POCKETFUL,
    POCKETFUL,
    PocketfulApp,
    TurnedClock,
    basic,
    code_verifier,
)
from tests.simulators.walk import http

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}")


def error(response: httpx.Response) -> tuple[int, str]:
    answer = response.json()
    assert set(answer) == {"error", "error_description"}
    return response.status_code, answer["error"]


def test_a_code_becomes_a_token(pocketful: PocketfulApp) -> None:
    response = pocketful.exchange(pocketful.code())
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
    answer = response.json()
    assert list(answer) == ["access_token", "expires_in", "scope", "token_type"]
    assert TOKEN.fullmatch(answer.pop("access_token"))
    assert answer == {"expires_in": 86399, "scope": "orders holdings", "token_type": "bearer"}


def test_the_granted_scope_is_the_one_asked_for(pocketful: PocketfulApp) -> None:
    assert pocketful.exchange(pocketful.code(scope="holdings")).json()["scope"] == "holdings"


def test_a_replayed_code_revokes_its_token(pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    token = pocketful.exchange(code).json()["access_token"]
    other = pocketful.exchange(pocketful.code()).json()["access_token"]
    assert pocketful.trading_info(token).status_code == 200
    replay = pocketful.exchange(code)
    assert error(replay) == (400, "invalid_grant")
    assert replay.headers["Cache-Control"] == "no-store"
    assert pocketful.trading_info(token).status_code == 401
    assert pocketful.trading_info(other).status_code == 200


def test_a_code_lives_ten_minutes(pocketful: PocketfulApp, clock: TurnedClock) -> None:
    in_time, too_late = pocketful.code(), pocketful.code()
    clock.now += 599
    assert pocketful.exchange(in_time).status_code == 200
    clock.now += 1
    assert error(pocketful.exchange(too_late)) == (400, "invalid_grant")


def test_a_replay_revokes_long_after_the_code_ran_out(pocketful: PocketfulApp, clock: TurnedClock) -> None:
    code = pocketful.code()
    token = pocketful.exchange(code).json()["access_token"]
    clock.now += 6 * 3600
    assert error(pocketful.exchange(code)) == (400, "invalid_grant")
    assert pocketful.trading_info(token).status_code == 401


@pytest.mark.parametrize("code", ["made-up", "x" * 5000, "é"])
def test_an_unknown_code_is_refused(pocketful: PocketfulApp, code: str) -> None:
    assert error(pocketful.exchange(code)) == (400, "invalid_grant")


def test_a_code_of_another_client_is_refused_and_unharmed(pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    assert error(replace(pocketful, client=OTHER_POCKETFUL).exchange(code)) == (400, "invalid_grant")
    assert pocketful.exchange(code).status_code == 200


@pytest.mark.parametrize("redirect_uri", [None, "", f"{CALLBACK}/", CALLBACK.replace("8000", "8001")])
def test_the_redirect_uri_must_be_the_same_again(pocketful: PocketfulApp, redirect_uri: str | None) -> None:
    code = pocketful.code()
    assert error(pocketful.exchange(code, redirect_uri=redirect_uri)) == (400, "invalid_grant")
    assert pocketful.exchange(code).status_code == 200


def test_a_redirect_uri_that_was_not_sent_is_not_compared(pocketful: PocketfulApp) -> None:
    code = pocketful.code(redirect_uri=None)
    assert pocketful.exchange(code, redirect_uri="https://anything.example/").status_code == 200


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (basic(POCKETFUL.client_id, "wrong"), (401, "invalid_client")),
        (basic(POCKETFUL.client_id, ""), (401, "invalid_client")),
        (basic("nobody", DEMO_SECRET), (401, "invalid_client")),
        (basic("", DEMO_SECRET), (401, "invalid_client")),
        # The demo secret as most libraries send it: its % is followed by no two digits.
        (basic(POCKETFUL.client_id, DEMO_SECRET, encoded=False), (400, "invalid_request")),
        # Unencoded, a plus is read as a space.
        (basic(POCKETFUL.client_id, DEMO_SECRET.replace("%", "%25"), encoded=False), (401, "invalid_client")),
        # Encoded twice.
        (basic(POCKETFUL.client_id, "demo%3A5%2B5"), (401, "invalid_client")),
        ("", (400, "invalid_request")),
        ("Basic", (400, "invalid_request")),
        ("Basic !!!", (400, "invalid_request")),
        ("Basic " + b64encode(b"no-colon").decode(), (400, "invalid_request")),
        ("Basic " + b64encode(b"\xff:\xfe").decode(), (401, "invalid_client")),
        ("Bearer abc", (400, "invalid_request")),
    ],
)
def test_wrong_credentials_leave_the_code_unspent(
    pocketful: PocketfulApp, authorization: str, expected: tuple[int, str]
) -> None:
    code = pocketful.code()
    assert error(pocketful.exchange(code, authorization=authorization)) == expected
    assert pocketful.exchange(code).status_code == 200


def test_the_scheme_is_matched_whatever_its_case(pocketful: PocketfulApp) -> None:
    authorization = basic(POCKETFUL.client_id, DEMO_SECRET).replace("Basic", "bAsIc")
    assert pocketful.exchange(pocketful.code(), authorization=authorization).status_code == 200


def test_encoded_spaces_may_be_a_plus_or_a_percent_escape(pocketful: PocketfulApp) -> None:
    encoded = "demo%3A5%2B5%20is+100%25%2Fd%C3%ADa"
    authorization = "Basic " + b64encode(f"{POCKETFUL.client_id}:{encoded}".encode()).decode()
    assert pocketful.exchange(pocketful.code(), authorization=authorization).status_code == 200


def test_credentials_in_the_body_spoil_a_right_header(pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    both = pocketful.exchange(code, client_id=POCKETFUL.client_id, client_secret=DEMO_SECRET)
    assert error(both) == (401, "invalid_client")
    body_only = pocketful.exchange(code, authorization="", client_id=POCKETFUL.client_id, client_secret=DEMO_SECRET)
    assert error(body_only) == (401, "invalid_client")
    # The id alone is tolerated.
    assert pocketful.exchange(code, client_id=POCKETFUL.client_id).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"code": None}, "invalid_request"),
    ],
)
def test_incomplete_requests_are_refused(
    pocketful: PocketfulApp, changes: dict[str, str | None], expected: str
) -> None:
    form = {"code": pocketful.code(), **changes}
    assert error(pocketful.exchange(form.pop("code") or "", **form)) == (400, expected)


@pytest.mark.parametrize(
    ("method", "content_type"),
    [
        ("PUT", "application/x-www-form-urlencoded"),
        ("GET", "application/x-www-form-urlencoded"),
        ("POST", "application/json"),
        ("POST", "multipart/form-data; boundary=x"),
        ("POST", "text/plain"),
        ("POST", ""),
    ],
)
def test_only_a_form_post_exchanges(pocketful: PocketfulApp, method: str, content_type: str) -> None:
    code = pocketful.code()
    response = http.request(
        method,
        f"{pocketful.url}/oauth2/token",
        content=urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}),
        headers={"Authorization": basic(POCKETFUL.client_id, DEMO_SECRET), "Content-Type": content_type},
    )
    assert error(response) == (400, "invalid_request")
    assert pocketful.exchange(code).status_code == 200


def test_a_body_that_is_not_form_encoded_is_refused(pocketful: PocketfulApp) -> None:
    response = http.post(
        f"{pocketful.url}/oauth2/token",
        content=b"grant_type=authorization_code&code=%zz",
        headers={
            "Authorization": basic(POCKETFUL.client_id, DEMO_SECRET),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert error(response) == (400, "invalid_request")


def test_the_code_in_the_query_is_not_read(pocketful: PocketfulApp) -> None:
    """RFC 6749 §3.2: parameters come in the body."""
    code = pocketful.code()
    response = http.post(
        f"{pocketful.url}/oauth2/token?grant_type=authorization_code&code={code}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert error(response) == (400, "invalid_request")


def test_pkce_needs_the_verifier_of_the_challenge(pocketful: PocketfulApp) -> None:
    verifier = code_verifier()
    challenge = base64url(sha256(verifier.encode()).digest())
    code = pocketful.code(code_challenge=challenge, code_challenge_method="S256")
    for wrong in (None, "", code_verifier(), verifier[:-1], verifier + "a", challenge, "x" * 42, "é" * 43):
        assert error(pocketful.exchange(code, code_verifier=wrong)) == (400, "invalid_grant")
    assert pocketful.exchange(code, code_verifier=verifier).status_code == 200


def test_a_verifier_without_a_challenge_is_refused(pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    assert error(pocketful.exchange(code, code_verifier=code_verifier())) == (400, "invalid_grant")
    assert pocketful.exchange(code).status_code == 200


def test_no_answer_repeats_a_secret(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    answers = [
        pocketful.exchange(code, authorization=basic(POCKETFUL.client_id, "wrong-secret")),
        pocketful.exchange(code, redirect_uri="https://elsewhere.example"),
    ]
    for answer in answers:
        assert "wrong-secret" not in answer.text
        assert code not in answer.text
    assert DEMO_SECRET not in repr(POCKETFUL)
    assert code not in repr(simulators.recorder.requests())
