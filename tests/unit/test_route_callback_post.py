"""POST /callback/{broker}: a posted form bounces to its GET form, before anything else."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from brokerlink.errors import FAILURES, Code
from tests.kit.situations import assert_untouched, begin_directly
from tests.kit.world import Context, Reply, World, pocketful, world

FORM = "application/x-www-form-urlencoded"
STRANGE = "Z" * 43
WRONG_BROWSER = "/result?error=wrong_browser"


def post(the_world: World, body: str, broker: str = "pocketful", content_type: str = FORM, **more: Any) -> Reply:
    return the_world.request("POST", f"/callback/{broker}", headers={"content-type": content_type}, body=body, **more)


def assert_malformed(reply: Reply) -> None:
    assert reply.status == 400
    assert FAILURES[Code.INVALID_REQUEST].text in reply.body
    assert reply.payload["cookies"] == []


@pytest.mark.parametrize("cookies", [[], ["__Host-brokerlink=" + "A" * 43], ["__Host-brokerlink=bad"]])
@pytest.mark.parametrize(
    ("body", "query"),
    [
        ("code=a&state=s", {"code": ["a"], "state": ["s"]}),
        ("code=a%2Bb+c&state=s", {"code": ["a+b c"], "state": ["s"]}),
        ("code=%2526&state=s", {"code": ["%26"], "state": ["s"]}),
        ("code=a&state=s&scope=x&error_description=%3Cb%3E&session_state=y", {"code": ["a"], "state": ["s"]}),
        ("error=access_denied&state=s", {"error": ["access_denied"], "state": ["s"]}),
        ("iss=https%3A%2F%2Fx&state=s", {"iss": ["https://x"], "state": ["s"]}),
        ("state=" + STRANGE, {"state": [STRANGE]}),
        ("code=" + "x" * 4096 + "&state=s", {"code": ["x" * 4096], "state": ["s"]}),
        ("unread=1", {}),
        ("", {}),
    ],
)
def test_posted_form_bounces_to_its_get_form_before_cookie_and_state_are_looked_at(
    the_world: World, cookies: list[str], body: str, query: dict[str, list[str]]
) -> None:
    reply = post(the_world, body, cookies=cookies)
    assert reply.status == 303
    parts = urlsplit(reply.location)
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/callback/pocketful")
    assert parse_qs(parts.query, strict_parsing=bool(parts.query)) == query
    assert reply.payload["cookies"] == []
    assert the_world.calls == []


def test_bounce_reads_what_this_broker_reads(the_world: World) -> None:
    reply = post(the_world, "requesttoken=a&State=s&code=c&error=e", broker="fivepaisa")
    assert parse_qs(urlsplit(reply.location).query) == {"RequestToken": ["a"], "state": ["s"]}


def test_bounce_ignores_the_query_of_the_post(the_world: World) -> None:
    reply = the_world.request(
        "POST", f"/callback/pocketful?code=q&state={STRANGE}", headers={"content-type": FORM}, body="code=b&state=s"
    )
    assert reply.location == "/callback/pocketful?code=b&state=s"


def test_bounce_stays_below_stage_and_path() -> None:
    with world(BROKERLINK_BASE_URL="https://www.example.com/brokers") as made:
        assert post(made, "state=s").location == "/brokers/callback/pocketful?state=s"
    with world(BROKERLINK_BASE_URL="") as made:
        made.stage = "prod"
        assert post(made, "state=s").location == "/prod/callback/pocketful?state=s"


def test_bounce_of_a_base64_body(the_world: World) -> None:
    function, event = the_world.event("POST", "/callback/pocketful", headers={"content-type": FORM})
    event |= {"body": base64.b64encode(b"code=a%2Bb&state=s").decode(), "isBase64Encoded": True}
    assert Reply(the_world.functions[function](event, Context())).location == "/callback/pocketful?code=a%2Bb&state=s"


@pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=UTF-8", f"{FORM};charset=iso-8859-1"])
def test_form_is_a_form_in_any_spelling(the_world: World, content_type: str) -> None:
    assert post(the_world, "state=s", content_type=content_type).status == 303


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "application/x-www-form-urlencodedx",
        "text/html, application/x-www-form-urlencoded",
    ],
)
def test_any_other_body_is_415_and_touches_nothing(the_world: World, content_type: str) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.calls.clear()
    cookies = [f"{name}={value}" for name, value in login.browser.cookies.items()]
    reply = post(the_world, f"code=c&state={login.state}", content_type=content_type, cookies=cookies)
    assert reply.status == 415
    assert the_world.calls == []
    assert_untouched(login, before)


@pytest.mark.parametrize(
    "body",
    [
        "code=" + "c" * 4097 + "&state=s",
        "state=" + "s" * 4097,
        "code=" + "%25" * 3_000 + "&state=s",
        "code=%00&state=s",
        "code=%0D%0ASet-Cookie:x&state=s",
        "code=%C3%A9&state=s",
        "code=é&state=s",
        "code=%FF&state=s",
        "code=a&code=b&state=s",
        "state=s&state=s",
        "unread=1&unread=2&state=s",
        "unread=%FF&state=s",
        "error=%1B&state=s",
    ],
)
def test_posted_form_over_the_limits_of_the_get_is_the_400_page(the_world: World, body: str) -> None:
    assert_malformed(post(the_world, body))
    assert the_world.calls == []


def test_location_of_a_bounce_fits_through_the_gateway(the_world: World) -> None:
    for body in ("code=" + "x" * 4096 + "&state=" + "s" * 43, "code=" + "%25" * 1_900 + "&state=" + "s" * 43):
        reply = post(the_world, body)
        assert reply.status == 303
        assert len(reply.location) < 6_200


def test_posted_callback_finishes_after_its_bounce(the_world: World) -> None:
    login = begin_directly(the_world)
    the_world.http.script = list(pocketful())
    bounce = post(the_world, urlencode({"code": "a+b/c d", "state": login.state}))
    reply = login.browser.get(bounce.location)
    assert reply.location == login.result
    assert parse_qs((the_world.http.sent[0].body or b"").decode())["code"] == ["a+b/c d"]


def test_get_never_bounces(the_world: World) -> None:
    login = begin_directly(the_world)
    target = f"/callback/pocketful?code=c&state={login.state}"
    reply = the_world.request("GET", target, headers={"content-type": FORM})
    assert reply.location == WRONG_BROWSER
