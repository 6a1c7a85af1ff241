"""GetAccessToken: JSON, exact names, and HTTP 200 whatever happens."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.simulators.parties import (
    NINE_IN_THE_MORNING,
    OTHER_FIVEPAISA,
    FivepaisaApp,
    TurnedClock,
    jwt_claims,
)
from tests.simulators.walk import http

MIDNIGHT = NINE_IN_THE_MORNING + 15 * 3600
INVALID_HEAD = {"body": None, "head": {"Status": "2", "StatusDescription": "Invalid Head Parameters"}}


def refused(message: str) -> dict[str, Any]:
    return {
        "body": {"AccessToken": "", "ClientCode": "", "Message": message, "Status": 2},
        "head": {"Status": 2, "StatusDescription": "Invalid Inputs"},
    }


def test_a_request_token_becomes_an_access_token(fivepaisa: FivepaisaApp) -> None:
    answer = fivepaisa.post(fivepaisa.order(fivepaisa.request_token(account="51100284")))
    assert answer["head"] == {"Status": 0, "StatusDescription": "Success"}
    body = answer["body"]
    assert (body["Status"], body["Message"], body["ClientCode"]) == (0, "Success", "51100284")
    assert body["CleareDt"] == f"/Date({(MIDNIGHT - 86_400) * 1000}+0530)/"
    claims = jwt_claims(body["AccessToken"])
    assert list(claims) == ["unique_name", "role", "State", "RedirectServer", "nbf", "exp", "iat"]
    assert claims["unique_name"] == "51100284"
    assert (claims["nbf"], claims["iat"]) == (NINE_IN_THE_MORNING, NINE_IN_THE_MORNING)
    assert claims["exp"] == MIDNIGHT - 1
    assert jwt_claims(body["RefreshToken"])["exp"] == MIDNIGHT + 89 * 86_400


@pytest.mark.parametrize(("before", "expires"), [(1, MIDNIGHT - 1), (0, MIDNIGHT + 86_399)])
def test_the_token_ends_with_the_indian_day(
    fivepaisa: FivepaisaApp, clock: TurnedClock, before: int, expires: int
) -> None:
    clock.now = MIDNIGHT - before
    answer = fivepaisa.post(fivepaisa.order(fivepaisa.request_token()))
    assert jwt_claims(answer["body"]["AccessToken"])["exp"] == expires


def test_a_request_token_works_once(fivepaisa: FivepaisaApp) -> None:
    order = fivepaisa.order(fivepaisa.request_token())
    assert fivepaisa.post(order)["body"]["Status"] == 0
    assert fivepaisa.post(order) == refused("Invalid Token")


def test_a_request_token_lives_thirty_seconds(fivepaisa: FivepaisaApp, clock: TurnedClock) -> None:
    in_time, too_late = (fivepaisa.order(fivepaisa.request_token()) for _ in range(2))
    clock.now += 29
    assert fivepaisa.post(in_time)["body"]["Status"] == 0
    clock.now += 1
    assert fivepaisa.post(too_late) == refused("Token Expired.")


@pytest.mark.parametrize("token", ["", "made.up.token", None, 5, ["x"]])
def test_an_unknown_request_token_is_refused(fivepaisa: FivepaisaApp, token: object) -> None:
    order = fivepaisa.order("")
    with_token = {**order, "body": {**order["body"], "RequestToken": token}}
    assert fivepaisa.post(with_token) == refused("Invalid Token")


def test_a_request_token_of_another_partner_is_refused_and_unharmed(fivepaisa: FivepaisaApp) -> None:
    token = fivepaisa.request_token()
    other = replace(fivepaisa, client=OTHER_FIVEPAISA)
    assert other.post(other.order(token)) == refused("Invalid Token")
    assert fivepaisa.post(fivepaisa.order(token))["body"]["Status"] == 0


@pytest.mark.parametrize("name", ["EncryKey", "UserId"])
@pytest.mark.parametrize("value", ["wrong", "", None])
def test_wrong_partner_credentials_are_refused(fivepaisa: FivepaisaApp, name: str, value: str | None) -> None:
    order = fivepaisa.order(fivepaisa.request_token())
    wrong = {**order, "body": {**order["body"], name: value}}
    assert fivepaisa.post(wrong) == refused("Invalid UserId or EncryKey")
    assert fivepaisa.post(order)["body"]["Status"] == 0


@pytest.mark.parametrize(
    "spelling",
    [
        ("Key", "key"),
        ("head", "Head"),
        ("body", "Body"),
        ("RequestToken", "requestToken"),
        ("EncryKey", "EncryptionKey"),
        ("UserId", "UserID"),
    ],
)
def test_names_count_letter_by_letter(fivepaisa: FivepaisaApp, spelling: tuple[str, str]) -> None:
    def respelt(part: dict[str, Any]) -> dict[str, Any]:
        return {spelling[1] if name == spelling[0] else name: value for name, value in part.items()}

    order = fivepaisa.order(fivepaisa.request_token())
    answer = fivepaisa.post(respelt({name: respelt(part) for name, part in order.items()}))
    assert answer["head"]["Status"] in {2, "2"}
    assert fivepaisa.post(order)["body"]["Status"] == 0


@pytest.mark.parametrize("key", ["wrong", "", None, 5])
def test_a_wrong_key_gets_a_string_status_and_no_body(fivepaisa: FivepaisaApp, key: object) -> None:
    order = fivepaisa.order(fivepaisa.request_token())
    assert fivepaisa.post({**order, "head": {"Key": key}}) == INVALID_HEAD


@pytest.mark.parametrize("order", [[], None, "text", {}, {"head": []}, {"head": None, "body": None}])
def test_other_json_is_refused_alike(fivepaisa: FivepaisaApp, order: object) -> None:
    assert fivepaisa.post(order) == INVALID_HEAD


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 5000, b"\xff\xfe", b"head=x"])
def test_a_body_that_is_not_json_is_refused_alike(fivepaisa: FivepaisaApp, body: bytes) -> None:
    response = http.post(fivepaisa.token_url, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()) == (200, INVALID_HEAD)


def test_only_a_json_post_is_read(fivepaisa: FivepaisaApp) -> None:
    order = fivepaisa.order(fivepaisa.request_token())
    as_text = http.post(fivepaisa.token_url, content=json.dumps(order), headers={"Content-Type": "text/plain"})
    assert (as_text.status_code, as_text.json()) == (200, INVALID_HEAD)
    with_put = http.put(fivepaisa.token_url, json=order)
    assert (with_put.status_code, with_put.json()) == (200, INVALID_HEAD)
    assert fivepaisa.post(order)["body"]["Status"] == 0


def test_unknown_fields_are_ignored(fivepaisa: FivepaisaApp) -> None:
    order = fivepaisa.order(fivepaisa.request_token())
    more = {"head": {**order["head"], "appName": "x"}, "body": {**order["body"], "PIN": "1"}, "more": 1}
    assert fivepaisa.post(more)["body"]["Status"] == 0
