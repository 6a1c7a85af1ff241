"""GET /: the brokers, a link to each, and the way to the canonical host."""

from __future__ import annotations

import re

import pytest

from tests.kit.situations import begin_directly
from tests.kit.world import APPS, BASE_URL, MIDNIGHT, MORNING, World, pocketful, world


def test_home_lists_the_brokers_with_a_link_each(the_world: World) -> None:
    reply = the_world.browser().get("/")
    assert reply.status == 200
    assert re.findall(r'href="(/[^"]*)"', reply.body) == ["/authorize/pocketful", "/authorize/fivepaisa"]
    assert "Pocketful" in reply.body
    assert "5paisa" in reply.body
    assert "Linked until" not in reply.body


def test_home_asks_nothing_and_sets_no_cookie(the_world: World) -> None:
    assert the_world.browser().get("/").payload["cookies"] == []
    assert the_world.calls == []


def test_home_without_brokers_says_so() -> None:
    with world(apps={}) as made:
        reply = made.browser().get("/")
    assert reply.status == 200
    assert "No broker is set up yet" in reply.body


def test_broker_that_is_off_is_not_offered() -> None:
    with world(apps={**APPS, "fivepaisa": {}, "nosuch": {}}) as made:
        reply = made.browser().get("/")
    assert re.findall(r'href="(/[^"]*)"', reply.body) == ["/authorize/pocketful"]


def test_home_shows_until_when_this_browser_is_linked(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    shown = login.browser.get("/").body
    assert shown.count("Linked until 00:00 IST, Tue 24 Nov") == 1
    assert "Log in to Pocketful again" in shown
    assert "Linked until" not in the_world.browser().get("/").body
    the_world.clock.now = MIDNIGHT
    assert "Linked until" not in login.browser.get("/").body


@pytest.mark.parametrize(
    "value",
    [
        "",
        "<script>",
        f"pocketful.{MORNING}",
        f"pocketful.{MORNING + 10 * 86_400}",
        f"pocketful.{MIDNIGHT}~<b>",
        f"nosuch.{MIDNIGHT}",
        f"pocketful.{MIDNIGHT},fivepaisa.{MIDNIGHT}",
    ],
)
def test_hostile_links_cookie_shows_nothing(the_world: World, value: str) -> None:
    browser = the_world.browser()
    plain = browser.get("/").body
    browser.cookies["__Host-brokerlink-links"] = value
    assert browser.get("/").body == plain


def test_home_says_where_logins_begin_when_direct_ones_are_closed() -> None:
    with world(BROKERLINK_DIRECT_LOGIN_ACCOUNTS="") as made:
        reply = made.browser().get("/")
    assert "Start from your trading platform" in reply.body
    assert "/authorize/pocketful" in reply.body


def test_links_are_below_the_base_urls_path() -> None:
    with world(BROKERLINK_BASE_URL=f"{BASE_URL}/brokers/") as made:
        assert 'href="/brokers/authorize/pocketful"' in made.browser().get("/").body


# ---------------------------------------------------------------- the canonical host


@pytest.mark.parametrize(
    ("host", "stage", "target", "location"),
    [
        ("other.example.com", "$default", "/", "/"),
        ("other.example.com", "$default", "/?a=%41+%20&a;b=", "/?a=%41+%20&a;b="),
        ("login.example.com:8443", "$default", "/", "/"),
        ("x.execute-api.ap-south-1.amazonaws.com", "prod", "/", "/"),
        ("other.example.com", "$default", "/authorize/pocketful?return_to=x", "/authorize/pocketful?return_to=x"),
        ("x.execute-api.ap-south-1.amazonaws.com", "prod", "/authorize/fivepaisa", "/authorize/fivepaisa"),
        ("other.example.com", "$default", "/authorize/nosuch?x=%0d%0a", "/authorize/nosuch?x=%0d%0a"),
        # The gateway decodes the path, and the query may hold what no browser would send.
        ("other.example.com", "$default", "/authorize/a\r\nSet-Cookie: b=c", "/authorize/a%0D%0ASet-Cookie%3A%20b%3Dc"),
        ("other.example.com", "$default", "/authorize/é#", "/authorize/%C3%A9%23"),
        ("other.example.com", "$default", "/?x=\r\né\\", "/?x=%0D%0A%C3%A9\\"),
        ("login.example.com", "$default", "/", None),
        ("LOGIN.example.com", "$default", "/", None),
        ("login.example.com:443", "$default", "/authorize/pocketful", None),
    ],
)
def test_another_host_leads_to_the_same_page_on_the_canonical_one(
    the_world: World, host: str, stage: str, target: str, location: str | None
) -> None:
    the_world.host, the_world.stage = host, stage
    reply = the_world.browser().get(target)
    if location is None:
        assert reply.headers.get("location", "https://trade").startswith("https://trade")
    else:
        assert (reply.status, reply.location) == (303, BASE_URL + location)
        assert reply.payload["cookies"] == []
        assert the_world.calls == []


def test_spoofed_host_header_moves_nobody(the_world: World) -> None:
    reply = the_world.browser().get("/", host="evil.example", x_forwarded_host="evil.example")
    assert reply.status == 200
    assert "evil" not in str(reply.payload)


@pytest.mark.parametrize("setting", [{"BROKERLINK_CANONICAL_HOST": "false"}, {"BROKERLINK_BASE_URL": ""}])
def test_no_host_is_canonical_behind_a_cdn_or_without_a_base_url(setting: dict[str, str]) -> None:
    with world(**setting) as made:
        made.host = "other.example.com"
        assert made.browser().get("/").status == 200
        assert made.browser().get("/authorize/pocketful").location.startswith("https://trade.pocketful.in/")
