"""Starts and callbacks that try to send the browser, or what it carries, somewhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.kit.situations import ACCOUNT, USER, begin, begin_directly
from tests.kit.world import APPS, BASE_URL, RETURN_TO, World, pocketful, world

ELSEWHERE = [
    "https://evil.example/",
    "http://app.example.com/brokers",
    "//evil.example",
    "///evil.example",
    "/\\evil",
    "\\/evil",
    "\\\\evil",
    "https:evil",
    "https:/evil",
    "https:///evil",
    "/%2f%2fevil",
    "/%5cevil",
    "/%09/evil",
    "/\t/evil",
    "/ /evil",
    "/.//evil",
    "https://app.example.com@evil.example/brokers",
    "https://good@app.example.com/brokers",
    "https://app.example.com:x@evil.example/brokers",
    "https://app.example.com.evil.example/brokers",
    "https://evil.example/brokers?https://app.example.com/brokers",
    "https://evil.example#https://app.example.com/brokers",
    "https://evil.example\\@app.example.com/brokers",
    "https://app.example.com\\.evil.example/brokers",
    "https://app.example.com/brokers/../../evil",
    "https://app.example.com/brokers/%2e%2e/evil",
    "https://app.example.com/brokersevil",
    "https://app.example.com:444/brokers",
    "https://app.example.com%2eevil.example/brokers",
    "https://app。example.com/brokers",
    "https://app.example.com/brokers\r\nLocation: https://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "intent://evil#Intent;scheme=https;end",
    f"{RETURN_TO}?status=connected",
    f"{RETURN_TO}?%73TATUS=connected",
    f"{RETURN_TO}#status=connected",
]


@pytest.fixture
def the_world() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.mark.parametrize("return_to", ELSEWHERE)
def test_return_to_elsewhere_is_refused_at_both_doors(the_world: World, return_to: str) -> None:
    start = the_world.browser().get("/authorize/pocketful?return_to=" + quote(return_to, safe=""))
    prepared = the_world.session(broker="pocketful", user_id=USER, account=ACCOUNT, return_to=return_to)
    assert (start.status, prepared.status) == (400, 400)
    assert the_world.calls == []
    assert "evil" not in start.body + prepared.body


@pytest.mark.parametrize("name", ["return_to", "redirect_uri", "next", "RelayState", "state2"])
def test_return_to_in_the_callback_is_ignored(the_world: World, name: str) -> None:
    login = begin(the_world, account=ACCOUNT, return_to=RETURN_TO)
    reply = login.come_back(*pocketful(), code="c", **{name: "https://evil.example/"})
    assert reply.location.startswith(f"{RETURN_TO}?status=connected")
    assert "evil" not in str(reply.payload)


@pytest.mark.parametrize(
    "header",
    ["x_forwarded_host", "forwarded", "host", "x_host", "x_original_url", "x_rewrite_url", "origin", "referer"],
)
@pytest.mark.parametrize("base_url", [BASE_URL, ""])
def test_spoofed_host_reaches_neither_redirect_uri_nor_location(header: str, base_url: str) -> None:
    with world(BROKERLINK_BASE_URL=base_url) as made:
        browser = made.browser()
        spoof = {header: "host=evil.example" if header == "forwarded" else "evil.example"}
        start = browser.get("/authorize/pocketful", **spoof)
        assert start.query["redirect_uri"] == f"{BASE_URL}/callback/pocketful"
        assert "evil" not in str(start.payload) + str(made.attempts())
        made.http.script = list(pocketful())
        end = browser.get(f"/callback/pocketful?code=c&state={start.query['state']}", **spoof)
        assert "evil" not in str(end.payload)


@pytest.mark.parametrize(
    "name",
    [
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "%22%3E%3Cimg%20src=x%3E",
        "evil%0D%0ASet-Cookie:x=y",
        "..%2F..%2Fetc",
        "%00",
    ],
)
@pytest.mark.parametrize("route", ["authorize", "callback"])
@pytest.mark.parametrize("host", ["login.example.com", "other.example.com"])
def test_broker_that_is_markup_is_neither_found_nor_echoed(the_world: World, route: str, name: str, host: str) -> None:
    the_world.host = host
    reply = the_world.browser().get(f"/{route}/{name}?x=1")
    assert reply.status == (303 if (route, host) == ("authorize", "other.example.com") else 404)
    assert not [echo for echo in ("<script>alert", "<img", "evil", "etc") if echo in reply.body]
    assert not set("\r\n\0<> ") & set(reply.headers.get("location", ""))


def test_broker_disabled_after_the_start_is_refused_politely(the_world: World) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.environment["BROKERLINK_BROKER_APPS"] = json.dumps({"fivepaisa": APPS["fivepaisa"]})
    the_world.build()
    reply = login.come_back()
    assert reply.status == 404
    assert "do not know this broker" in reply.body
    assert the_world.http.sent == []
    assert login.row() == before
