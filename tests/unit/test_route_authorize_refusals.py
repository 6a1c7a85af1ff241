"""GET /authorize/{broker}: everything with which no login begins."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote

import pytest

from brokerlink.attempts import digest
from tests.kit.situations import ACCOUNT, USER, assert_nothing_began, begin_directly
from tests.kit.world import RETURN_TO, World, pocketful, world

CLOSED = {"BROKERLINK_DIRECT_LOGIN_ACCOUNTS": ""}


# ---------------------------------------------------------------- where a login may end


@pytest.mark.parametrize(
    "return_to",
    [
        RETURN_TO,
        RETURN_TO + "/done",
        RETURN_TO + "?a=1&b=%41%2f+&c",
        RETURN_TO + "/%20x?",
        RETURN_TO + "?q='\"<>{}|^`",
    ],
)
def test_return_to_is_stored_byte_for_byte(the_world: World, return_to: str) -> None:
    the_world.browser().start(return_to=quote(return_to, safe=""))
    assert the_world.attempt()["return_to"] == return_to


@pytest.mark.parametrize(
    "return_to",
    [
        "",
        "https://evil.example/",
        "//evil.example",
        "/\\evil",
        "https:evil",
        "/%2f%2fevil",
        "/%09/evil",
        "https://app.example.com@evil.example/brokers",
        "https://app.example.com.evil.example/brokers",
        "javascript:alert(1)",
        "data:text/html,x",
        RETURN_TO + "/../x",
        RETURN_TO + "/%2e%2e/x",
        RETURN_TO + "#x",
        RETURN_TO + "?Status=connected",
        RETURN_TO + "?%65rror=x",
        RETURN_TO + "\r\nx",
        RETURN_TO + "/é",
        RETURN_TO + "x",
    ],
)
def test_hostile_return_to_is_a_400_and_stores_nothing(the_world: World, return_to: str) -> None:
    reply = the_world.browser().get("/authorize/pocketful?return_to=" + quote(return_to, safe=""))
    assert_nothing_began(the_world, reply, 400)
    assert "evil" not in reply.body


def test_return_to_is_refused_where_the_list_is_empty_or_malformed() -> None:
    for setting in ("", "http://app.example.com/brokers", "nonsense"):
        with world(BROKERLINK_RETURN_TO=setting) as made:
            reply = made.browser().get(f"/authorize/pocketful?return_to={RETURN_TO}")
            assert_nothing_began(made, reply, 400)


@pytest.mark.parametrize(
    "query",
    [
        f"return_to={RETURN_TO}&return_to={RETURN_TO}",
        f"return_to={RETURN_TO}&session={'A' * 43}",
        f"return_to={RETURN_TO}&retry={'A' * 43}",
        f"session={'A' * 43}&retry={'A' * 43}",
        f"session={'A' * 43}&session={'A' * 43}",
        "session=",
        "retry=",
        "session=short",
        f"session={'A' * 44}",
        f"session={'A' * 42}%0A",
        f"session={'A' * 43}%00",
        "retry=session%23" + "A" * 43,
        f"retry={'A' * 43},{'A' * 43}",
        "x=%ff",
        "x=1&x=2",
    ],
)
def test_malformed_query_is_a_400_before_anything_is_asked(the_world: World, query: str) -> None:
    assert_nothing_began(the_world, the_world.browser().get(f"/authorize/pocketful?{query}"), 400)
    assert the_world.calls == []


def test_refusal_of_a_query_is_told_in_the_log_and_to_programs(the_world: World) -> None:
    reply = the_world.browser().get("/authorize/pocketful?return_to=https://evil.example", accept="application/json")
    assert reply.status == 400
    assert "ReturnTo" in reply.json["message"]
    (line,) = the_world.lines()
    assert "ReturnTo" in line["why"]
    assert "evil" not in the_world.log.getvalue()


# ---------------------------------------------------------------- who may log in without a session


def test_direct_logins_are_closed_by_default() -> None:
    with world(**CLOSED) as made:
        for query in ("", f"?return_to={RETURN_TO}"):
            reply = made.browser().get(f"/authorize/pocketful{query}")
            assert_nothing_began(made, reply, 403)
            assert reply.headers["content-type"].startswith("text/html")
        assert made.calls == []


@pytest.mark.parametrize("accounts", ["*", ACCOUNT, f"XX0001, {ACCOUNT}", f"{ACCOUNT},*"])
def test_direct_login_ends_in_a_listed_account(accounts: str) -> None:
    with world(BROKERLINK_DIRECT_LOGIN_ACCOUNTS=accounts) as made:
        login = begin_directly(made)
        login.come_back(*pocketful(ACCOUNT))
        assert login.row()["status"] == "SUCCEEDED"


def test_direct_login_in_an_account_outside_the_list_fails() -> None:
    with world(BROKERLINK_DIRECT_LOGIN_ACCOUNTS="XX0001,ya0002") as made:
        login = begin_directly(made)
        login.come_back(*pocketful(ACCOUNT))
        assert login.row()["error"] == "account_mismatch"
        assert made.tokens() == []


# ---------------------------------------------------------------- begun by another site


@pytest.mark.parametrize(
    "query",
    ["", f"?return_to={RETURN_TO}", "?return_to=" + quote(RETURN_TO + "?a=%41+&b", safe="")],
)
def test_cross_site_link_meets_a_page_with_a_link_of_our_own(the_world: World, query: str) -> None:
    browser = the_world.browser()
    reply = browser.get(f"/authorize/pocketful{query}", sec_fetch_site="cross-site")
    assert_nothing_began(the_world, reply, 200)
    assert the_world.calls == []
    (href,) = re.findall(r'class="button" href="([^"]*)"', reply.body)
    browser.get(href.replace("&amp;", "&"), sec_fetch_site="same-origin")
    asked = parse_qs(query[1:])
    assert the_world.attempt().get("return_to") == (asked["return_to"][0] if asked else None)


@pytest.mark.parametrize("query", ["x=\\", "x=é", "x=%00", "x='\"><script>", "utm_source=connected", "State=x"])
def test_cross_site_link_passes_nothing_on_that_is_not_ours(the_world: World, query: str) -> None:
    reply = the_world.browser().get(f"/authorize/pocketful?{query}", sec_fetch_site="cross-site")
    assert_nothing_began(the_world, reply, 200)
    assert 'href="/authorize/pocketful"' in reply.body


def test_cross_site_link_says_at_once_where_direct_logins_are_closed() -> None:
    with world(**CLOSED) as made:
        reply = made.browser().get("/authorize/pocketful", sec_fetch_site="cross-site")
        assert_nothing_began(made, reply, 403)


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_link_from_our_own_site_or_the_address_bar_begins_at_once(the_world: World, site: str) -> None:
    assert the_world.browser().get("/authorize/pocketful", sec_fetch_site=site).status == 303


def test_cross_site_session_and_retry_begin_at_once(the_world: World) -> None:
    prepared = the_world.session(broker="pocketful", user_id=USER, account=ACCOUNT)
    browser = the_world.browser()
    first = browser.get(str(prepared.json["start_url"]), sec_fetch_site="cross-site")
    assert first.status == 303
    again = browser.get(f"/authorize/pocketful?retry={digest(first.query['state'])}", sec_fetch_site="cross-site")
    assert again.status == 303
