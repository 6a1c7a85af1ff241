"""POST /sessions: a platform prepares a login, and no slip of its opens it wider."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.attempts import digest
from tests.kit.situations import ACCOUNT, USER
from tests.kit.world import APPS, BASE_URL, MORNING, RETURN_TO, Context, Reply, World, world

GOOD = {"broker": "pocketful", "user_id": USER, "account": ACCOUNT, "return_to": RETURN_TO}


def post(the_world: World, body: Any, **headers: str) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    return the_world.request("POST", "/sessions", body=text, headers=headers)


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in GOOD.items() if name not in names}


@pytest.mark.parametrize("body", [GOOD, without("account"), without("return_to")])
def test_session_is_prepared(the_world: World, body: dict[str, str]) -> None:
    reply = post(the_world, body)
    assert reply.status == 201
    assert reply.headers["content-type"] == "application/json"
    assert reply.json.keys() == {"start_url", "expires_at"}
    assert reply.json["expires_at"] == MORNING + 600
    secret = re.fullmatch(
        re.escape(f"{BASE_URL}/authorize/pocketful?session=") + r"([A-Za-z0-9_-]{43})", reply.json["start_url"]
    )
    assert secret is not None
    (row,) = the_world.attempts()
    assert row == {
        "attempt_id": "session#" + digest(secret[1]),
        "status": "OPEN",
        "broker": "pocketful",
        "user_id": USER,
        "expires_at": MORNING + 600,
        "ttl": MORNING + 4200,
        **({"expected_account": ACCOUNT} if "account" in body else {}),
        **({"return_to": RETURN_TO} if "return_to" in body else {}),
    }
    assert reply.payload["cookies"] == []


def test_body_may_come_in_base64(the_world: World) -> None:
    function, event = the_world.event("POST", "/sessions", body=base64.b64encode(json.dumps(GOOD).encode()).decode())
    event["isBase64Encoded"] = True
    assert Reply(the_world.functions[function](event, Context())).status == 201


def test_start_url_follows_the_gateway_where_no_base_url_is_set() -> None:
    with world(BROKERLINK_BASE_URL="") as made:
        made.host, made.stage = "x.execute-api.ap-south-1.amazonaws.com", "prod"
        start_url = str(post(made, GOOD).json["start_url"])
        assert start_url.startswith("https://x.execute-api.ap-south-1.amazonaws.com/prod/authorize/pocketful?session=")


REFUSED: list[tuple[str, Any, str]] = [
    ("no body", "", "not JSON"),
    ("a list", "[]", "not a JSON object"),
    ("no broker", without("broker"), "lacks: broker"),
    ("no user", without("user_id"), "lacks: user_id"),
    ("neither account nor return_to", without("account", "return_to"), "needs return_to"),
    ("misspelt account", {**without("account"), "acount": ACCOUNT}, "may hold only"),
    ("account in another case", {**without("account"), "Account": ACCOUNT}, "may hold only"),
    ("repeated account", json.dumps(GOOD)[:-1] + ', "account": "XX0001"}', "repeated"),
    ("null account", {**GOOD, "account": None}, "text"),
    ("empty account", {**GOOD, "account": ""}, "account"),
    ("account with a space", {**GOOD, "account": "YA 0002"}, "account"),
    ("account with a newline", {**GOOD, "account": "YA0002\n"}, "account"),
    ("account with #", {**GOOD, "account": "YA#0002"}, "account"),
    ("long account", {**GOOD, "account": "Y" * 65}, "account"),
    ("account of other digits", {**GOOD, "account": "YA\u0660\u0660\u0660\u0662"}, "account"),
    ("account a number", {**GOOD, "account": 50052770}, "text"),
    ("account a list", {**GOOD, "account": [ACCOUNT]}, "text"),
    ("account NaN", json.dumps({**GOOD, "account": float("nan")}), "text"),
    ("account of 5,000 digits", '{"broker":"pocketful","user_id":"u","account":' + "9" * 5_000 + "}", "not JSON"),
    ("deeply nested", '{"broker":' + "[" * 16_000, "not JSON"),
    ("empty user", {**GOOD, "user_id": ""}, "user_id"),
    ("long user", {**GOOD, "user_id": "u" * 129}, "user_id"),
    ("user with a colon, as direct logins have", {**GOOD, "user_id": f"pocketful:{ACCOUNT}"}, "user_id"),
    ("user with a slash", {**GOOD, "user_id": "a/b"}, "user_id"),
    ("user with half a surrogate", {**GOOD, "user_id": "\ud800"}, "user_id"),
    ("empty broker", {**GOOD, "broker": ""}, "one of: fivepaisa, pocketful"),
    ("unknown broker", {**GOOD, "broker": "nosuch"}, "one of: fivepaisa, pocketful"),
    ("broker in another case", {**GOOD, "broker": "Pocketful"}, "one of: fivepaisa, pocketful"),
    ("half a surrogate as broker", {**GOOD, "broker": "\ud800"}, "one of: fivepaisa, pocketful"),
    ("empty return_to", {**GOOD, "return_to": ""}, "ReturnTo"),
    ("foreign return_to", {**GOOD, "return_to": "https://evil.example/"}, "ReturnTo"),
    ("return_to with our status", {**GOOD, "return_to": RETURN_TO + "?status=connected"}, "ReturnTo"),
    ("return_to with a line break", {**GOOD, "return_to": RETURN_TO + "\r\nx: y"}, "ReturnTo"),
    ("unpinned at 5paisa", {**without("account"), "broker": "fivepaisa"}, "name the account"),
]


@pytest.mark.parametrize(("body", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_anything_else_is_a_400_that_says_what_to_do_and_stores_nothing(the_world: World, body: Any, says: str) -> None:
    reply = post(the_world, body)
    assert reply.status == 400
    assert reply.json["error"] == "invalid_request"
    assert says in reply.json["message"]
    assert "evil" not in reply.body
    assert the_world.calls == []


@pytest.mark.parametrize("user_id", ["u", "u" * 128, "A-Z.a_z-0.9"])
@pytest.mark.parametrize("account", ["Y", "Y" * 64, "a.b_c-1"])
def test_names_at_their_limits_pass(the_world: World, user_id: str, account: str) -> None:
    assert post(the_world, {**GOOD, "user_id": user_id, "account": account}).status == 201


def test_fivepaisa_takes_a_session_that_names_the_account_or_any_if_its_app_allows() -> None:
    with world() as made:
        assert post(made, {**GOOD, "broker": "fivepaisa"}).status == 201
    with world(apps={"fivepaisa": {"vendor_key": "v", "allow_unpinned": True}}) as made:
        assert post(made, {**without("account"), "broker": "fivepaisa"}).status == 201


def test_broker_that_is_off_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with world(apps={**APPS, "pocketful": {"client_id": 7}}) as made:
        reply = post(made, GOOD)
        assert (reply.status, reply.json["error"]) == (503, "app_misconfigured")
        assert made.calls == []
        assert made.lines()[-1]["setting"] == "BrokerApps.pocketful.client_id"
    assert "app_misconfigured" in capsys.readouterr().out


def test_every_answer_is_json_whatever_is_accepted(the_world: World) -> None:
    for body in (GOOD, {}):
        assert post(the_world, body, accept="text/html").headers["content-type"] == "application/json"


def test_table_that_does_not_answer_is_busy(the_world: World) -> None:
    the_world.faults["PutItem"] = EndpointConnectionError(endpoint_url="https://dynamodb")
    reply = post(the_world, GOOD)
    assert (reply.status, reply.json["error"]) == (503, "busy")


def test_secret_of_the_start_url_is_not_in_the_row_and_not_in_the_log(the_world: World) -> None:
    secret = str(post(the_world, GOOD).json["start_url"]).rpartition("=")[2]
    assert secret not in str(the_world.attempts())
    assert secret not in the_world.log.getvalue()
