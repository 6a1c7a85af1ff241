"""GET /authorize/{broker}: how a login begins, and everything with which none begins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.attempts import digest
from brokerlink.errors import FAILURES, Code, SettingError
from tests.kit.situations import ACCOUNT, SITUATIONS, USER, Login, begin, begin_directly
from tests.kit.world import APPS, BASE_URL, MORNING, RETURN_TO, Reply, World, pocketful, world

BASE64URL = re.compile(r"[A-Za-z0-9_-]{43}")
CLOSED = {"BROKERLINK_DIRECT_LOGIN_ACCOUNTS": ""}
DOWN = EndpointConnectionError(endpoint_url="https://dynamodb")


@pytest.fixture
def the_world() -> Iterator[World]:
    with world() as made:
        yield made


def assert_nothing_began(the_world: World, reply: Reply, status: int) -> None:
    assert reply.status == status
    assert reply.payload["cookies"] == []
    assert "PutItem" not in the_world.calls
    assert "UpdateItem" not in the_world.calls


def session(the_world: World, **body: str) -> str:
    """Prepare a session and give the path of its start URL."""
    prepared = the_world.session(**{"broker": "pocketful", "user_id": USER, "account": ACCOUNT} | body)
    the_world.calls.clear()
    return str(prepared.json["start_url"]).removeprefix(BASE_URL)


# ---------------------------------------------------------------- a direct login


def test_start_leads_to_the_broker_by_303(the_world: World) -> None:
    reply = the_world.browser().get("/authorize/pocketful")
    assert reply.status == 303
    parts = urlsplit(reply.location)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "trade.pocketful.in", "/oauth2/auth")
    sent = parse_qs(parts.query)
    assert sent.keys() == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    }
    assert sent["redirect_uri"] == [f"{BASE_URL}/callback/pocketful"]
    assert BASE64URL.fullmatch(sent["state"][0])


def test_start_stores_one_pending_row_and_asks_for_nothing_else(the_world: World) -> None:
    browser = the_world.browser()
    reply = browser.get("/authorize/pocketful")
    assert the_world.calls == ["PutItem"]
    row = the_world.attempt()
    assert BASE64URL.fullmatch(row.pop("code_verifier"))
    assert row == {
        "attempt_id": digest(reply.query["state"]),
        "status": "PENDING",
        "broker": "pocketful",
        "browser_hash": digest(browser.cookies["__Host-brokerlink"]),
        "redirect_uri": f"{BASE_URL}/callback/pocketful",
        "expires_at": MORNING + 600,
        "ttl": MORNING + 4200,
    }


def test_row_and_location_hide_state_and_browser_key_from_one_another(the_world: World) -> None:
    browser = the_world.browser()
    reply = browser.get("/authorize/pocketful")
    key = browser.cookies["__Host-brokerlink"]
    assert key not in str(the_world.attempt())
    assert reply.query["state"] not in str(the_world.attempt())
    assert key not in reply.location
    assert the_world.attempt()["code_verifier"] not in reply.location


def test_start_sets_the_cookie_exactly(the_world: World) -> None:
    (cookie,) = the_world.browser().get("/authorize/pocketful").payload["cookies"]
    value = cookie.removeprefix("__Host-brokerlink=").split(";")[0]
    assert BASE64URL.fullmatch(value)
    assert cookie == f"__Host-brokerlink={value}; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax; Secure"


def test_well_formed_cookie_is_kept_for_all_attempts_and_sent_again(the_world: World) -> None:
    browser = the_world.browser()
    first = browser.get("/authorize/pocketful")
    second = browser.get("/authorize/fivepaisa")
    assert first.payload["cookies"] == second.payload["cookies"]
    hashes = {row["browser_hash"] for row in the_world.attempts()}
    assert hashes == {digest(browser.cookies["__Host-brokerlink"])}


@pytest.mark.parametrize(
    "cookies",
    [
        ["__Host-brokerlink="],
        ["__Host-brokerlink=short"],
        ["__Host-brokerlink=" + "A" * 44],
        ["__Host-brokerlink=" + "A" * 42 + "="],
        ["brokerlink=" + "A" * 43],
        ["__Host-brokerlink=" + "A" * 43, "__Host-brokerlink=" + "B" * 43],
    ],
)
def test_anything_else_is_replaced(the_world: World, cookies: list[str]) -> None:
    reply = the_world.request("GET", "/authorize/pocketful", cookies=cookies)
    assert reply.status == 303
    key = reply.cookies["__Host-brokerlink"]
    assert key not in {"A" * 43, "B" * 43}
    assert the_world.attempt()["browser_hash"] == digest(key)


def test_every_start_has_a_state_and_a_verifier_of_its_own(the_world: World) -> None:
    browser = the_world.browser()
    states = {browser.start() for _ in range(20)}
    assert len(states) == len({row["code_verifier"] for row in the_world.attempts()}) == 20


def test_attempt_lives_as_long_as_the_setting_says() -> None:
    with world(BROKERLINK_ATTEMPT_SECONDS="60") as made:
        made.browser().start()
        assert made.attempt()["expires_at"] == MORNING + 60
        assert made.attempt()["ttl"] == MORNING + 3660


def test_fivepaisa_gets_its_parameters_encoded_once(the_world: World) -> None:
    parts = urlsplit(the_world.browser().get("/authorize/fivepaisa").location)
    assert parts.path == "/WebVendorLogin/VLogin/Index"
    sent = parse_qs(parts.query)
    assert sent.keys() == {"VendorKey", "ResponseURL", "State"}
    assert sent["ResponseURL"] == [f"{BASE_URL}/callback/fivepaisa"]
    assert parts.query.count("%2F") == 4
    assert "%25" not in parts.query


def test_broker_that_takes_a_form_gets_a_page_with_one() -> None:
    apps = {"fivepaisa": {"vendor_key": "vendor-key", "login_method": "post"}}
    with world(apps=apps) as made:
        browser = made.browser()
        reply = browser.get("/authorize/fivepaisa")
        assert reply.status == 200
        assert "__Host-brokerlink" in reply.cookies
        assert '<form method="post" action="https://dev-openapi.5paisa.com/WebVendorLogin/VLogin/Index">' in reply.body
        assert f'value="{BASE_URL}/callback/fivepaisa"' in reply.body
        assert "form-action https:" in reply.headers["content-security-policy"]
        assert made.attempt()["status"] == "PENDING"
        assert browser.get("/authorize/fivepaisa", accept="application/json").status == 406


# ---------------------------------------------------------------- JSON for our own pages


@pytest.mark.parametrize("site", [{}, {"sec_fetch_site": "same-origin"}, {"sec_fetch_site": "none"}])
def test_json_form_gives_the_same_start(the_world: World, site: dict[str, str]) -> None:
    reply = the_world.browser().get("/authorize/pocketful", accept="application/json", **site)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json.keys() == {"authorization_url", "attempt_id", "expires_at"}
    state = parse_qs(urlsplit(reply.json["authorization_url"]).query)["state"][0]
    assert reply.json["attempt_id"] == digest(state) == the_world.attempt()["attempt_id"]
    assert reply.json["expires_at"] == MORNING + 600
    assert the_world.attempt()["browser_hash"] == digest(reply.cookies["__Host-brokerlink"])


@pytest.mark.parametrize("site", ["cross-site", "same-site", "made-up", ""])
@pytest.mark.parametrize("query", ["", "?session=" + "A" * 43, "?retry=" + "A" * 43, f"?return_to={RETURN_TO}"])
def test_json_form_is_closed_to_other_sites_and_says_why(the_world: World, site: str, query: str) -> None:
    reply = the_world.browser().get(f"/authorize/pocketful{query}", accept="application/json", sec_fetch_site=site)
    assert_nothing_began(the_world, reply, 403)
    assert the_world.calls == []
    for word in ("cookie", "/authorize/{broker}", "POST /sessions"):
        assert word in reply.json["message"]


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
    browser = the_world.browser()
    first = browser.get(session(the_world), sec_fetch_site="cross-site")
    assert first.status == 303
    again = browser.get(f"/authorize/pocketful?retry={digest(first.query['state'])}", sec_fetch_site="cross-site")
    assert again.status == 303


# ---------------------------------------------------------------- sessions


def test_start_through_a_session_inherits_it(the_world: World) -> None:
    login = begin(the_world, account=ACCOUNT, return_to=RETURN_TO)
    row = login.row()
    assert (row["user_id"], row["expected_account"], row["return_to"]) == (USER, ACCOUNT, RETURN_TO)
    assert row["session"].startswith("session#")
    assert row["expires_at"] == MORNING + 600


@pytest.mark.parametrize(("after", "status"), [(0, 303), (599, 303), (599.9, 303), (600, 410), (601, 410)])
def test_session_works_for_ten_minutes_to_the_second(the_world: World, after: float, status: int) -> None:
    target = session(the_world)
    the_world.clock.now += after
    assert the_world.browser().get(target).status == status


def test_login_begun_in_the_last_second_has_its_own_ten_minutes(the_world: World) -> None:
    target = session(the_world)
    the_world.clock.now += 599
    browser = the_world.browser()
    state = browser.get(target).query["state"]
    the_world.clock.now += 599
    assert browser.come_back(state, *pocketful()).status == 303
    assert the_world.tokens()[0]["user_id"] == USER


def test_session_ends_with_a_login_that_succeeded(the_world: World) -> None:
    target = session(the_world)
    browser = the_world.browser()
    state = browser.get(target).query["state"]
    assert browser.get(target).status == 303
    browser.come_back(state, error="access_denied")
    state = browser.get(target).query["state"]
    browser.come_back(state, *pocketful())
    the_world.calls.clear()
    assert_nothing_began(the_world, browser.get(target), 410)
    assert_nothing_began(the_world, the_world.browser().get(target), 410)


def test_opening_a_session_twice_spoils_nothing(the_world: World) -> None:
    target = session(the_world)
    robot, human = the_world.browser(), the_world.browser()
    assert robot.get(target).status == 303
    state = human.get(target).query["state"]
    assert len([row for row in the_world.attempts() if "browser_hash" in row]) == 2
    assert human.come_back(state, *pocketful()).query.keys() == {"attempt"}
    assert the_world.tokens()[0]["user_id"] == USER


def test_prefetch_of_a_session_asks_nothing(the_world: World) -> None:
    target = session(the_world)
    for header in ("sec_purpose", "purpose"):
        reply = the_world.browser().get(target, **{header: "prefetch;prerender"})
        assert_nothing_began(the_world, reply, 503)
    assert the_world.calls == []
    assert the_world.browser().get(target).status == 303


@pytest.mark.parametrize("broker", ["fivepaisa", "pocketful"])
def test_session_of_another_broker_or_of_nobody_does_not_start(the_world: World, broker: str) -> None:
    target = session(the_world)
    hostile = target.replace("pocketful", broker) if broker == "fivepaisa" else target[:-43] + "A" * 43
    reply = the_world.browser().get(hostile)
    assert_nothing_began(the_world, reply, 410)
    assert the_world.calls == ["GetItem"]
    assert USER not in reply.body


def test_attempt_is_no_session(the_world: World) -> None:
    state = the_world.browser().start()
    assert the_world.browser().get(f"/authorize/pocketful?session={state}").status == 410


def test_session_starts_where_direct_logins_are_closed() -> None:
    with world(**CLOSED) as made:
        assert made.browser().get(session(made)).status == 303


def test_fivepaisa_session_has_to_name_the_account_when_it_starts_too() -> None:
    allowing = {"fivepaisa": {"vendor_key": "vendor-key", "allow_unpinned": True}}
    with world(apps=allowing) as made:
        prepared = made.session(broker="fivepaisa", user_id=USER, return_to=RETURN_TO)
        target = str(prepared.json["start_url"])
        assert made.browser().get(target).status == 303
        made.environment["BROKERLINK_BROKER_APPS"] = json.dumps(APPS)
        made.build()
        made.calls.clear()
        assert_nothing_began(made, made.browser().get(target), 403)


# ---------------------------------------------------------------- retry


@pytest.mark.parametrize("situation", SITUATIONS)
def test_retry_of_each_situation(the_world: World, situation: str) -> None:
    login = begin(the_world)
    SITUATIONS[situation].bring(login)
    before = login.row()
    reply = login.browser.get(login.retry)
    assert reply.status == 303
    if SITUATIONS[situation].standing in {"failed", "pending"}:
        again = Login(the_world, login.browser, reply.query["state"]).row()
        kept = ("user_id", "return_to", "session", "browser_hash", "broker", "redirect_uri")
        assert {name: again[name] for name in kept} == {name: before[name] for name in kept}
        assert "expected_account" not in again
        assert again["status"] == "PENDING"
        assert again["code_verifier"] != before.get("code_verifier")
    else:
        assert reply.location == login.result
        assert reply.payload["cookies"] == []
    assert login.row() == before


def test_retry_inherits_the_account(the_world: World) -> None:
    login = begin(the_world, account=ACCOUNT)
    login.come_back(error="access_denied")
    again = Login(the_world, login.browser, login.browser.get(login.retry).query["state"]).row()
    assert again["expected_account"] == ACCOUNT
    assert "return_to" not in again


def test_retry_asks_no_session_to_be_open(the_world: World) -> None:
    login = begin(the_world, account=ACCOUNT)
    other = Login(the_world, login.browser, login.browser.get(login.retry).query["state"])
    other.come_back(*pocketful())
    login.come_back(error="access_denied")
    the_world.clock.now += 700
    again = Login(the_world, login.browser, login.browser.get(login.retry).query["state"])
    again.come_back(*pocketful())
    assert again.row()["status"] == "SUCCEEDED"


def test_retry_of_a_direct_login_is_a_direct_login(the_world: World) -> None:
    login = begin_directly(the_world, return_to=RETURN_TO)
    login.come_back(error="access_denied")
    again = Login(the_world, login.browser, login.browser.get(login.retry).query["state"]).row()
    assert again["return_to"] == RETURN_TO
    assert again.keys().isdisjoint({"user_id", "expected_account", "session"})


def test_retry_of_a_direct_login_is_refused_once_they_are_closed(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(error="access_denied")
    the_world.environment.update(CLOSED)
    the_world.build()
    the_world.calls.clear()
    assert_nothing_began(the_world, login.browser.get(login.retry), 403)


def test_retry_in_another_browser_is_refused(the_world: World) -> None:
    login = begin(the_world)
    login.come_back(error="access_denied")
    stranger = the_world.browser()
    stranger.start()
    the_world.calls.clear()
    reply = stranger.get(login.retry)
    assert_nothing_began(the_world, reply, 410)
    assert USER not in reply.body
    unknown = stranger.get("/authorize/pocketful?retry=" + "A" * 43)
    assert unknown.payload == reply.payload


def test_retry_without_a_cookie_is_refused_before_dynamodb_is_asked(the_world: World) -> None:
    login = begin(the_world)
    login.come_back(error="access_denied")
    the_world.calls.clear()
    assert_nothing_began(the_world, the_world.browser().get(login.retry), 410)
    assert the_world.calls == []


def test_retry_at_another_broker_is_refused(the_world: World) -> None:
    login = begin(the_world)
    login.come_back(error="access_denied")
    the_world.calls.clear()
    reply = login.browser.get(login.retry.replace("pocketful", "fivepaisa"))
    assert_nothing_began(the_world, reply, 410)


def test_retry_by_json_gives_json(the_world: World) -> None:
    login = begin(the_world)
    login.come_back(error="access_denied")
    assert login.browser.get(login.retry, accept="application/json").json.keys() >= {"authorization_url"}
    refused = the_world.browser().get(login.retry, accept="application/json")
    assert (refused.status, refused.json["error"]) == (410, "invalid_request")


# ---------------------------------------------------------------- brokers that are not there


@pytest.mark.parametrize(
    "name", ["nosuch", "Pocketful", "POCKETFUL", "pocketful%00", "%3Cscript%3E", "..%2f", "session%23"]
)
def test_unknown_broker_is_404_and_not_echoed(the_world: World, name: str) -> None:
    reply = the_world.browser().get(f"/authorize/{name}")
    assert_nothing_began(the_world, reply, 404)
    assert "<script>" not in reply.body
    assert "nosuch" not in reply.body
    assert the_world.browser().get(f"/authorize/{name}", accept="application/json").status == 404


@pytest.mark.parametrize("app", [{}, {"client_id": "x", "typo": "canary"}, {"client_id": 7}, "canary", None])
def test_broker_that_is_off_is_named_in_one_error_line_and_a_metric(
    app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with world(apps={**APPS, "pocketful": app}) as made:
        made.log.truncate(0)
        made.log.seek(0)
        capsys.readouterr()
        reply = made.browser().get("/authorize/pocketful")
        assert_nothing_began(made, reply, 503)
        assert FAILURES[Code.APP_MISCONFIGURED].text in reply.body
        (line,) = made.lines()
        assert line["level"] == "ERROR"
        assert line["setting"].startswith("BrokerApps.pocketful")
        metric = json.loads(capsys.readouterr().out)
        assert metric["app_misconfigured"] == [1.0]
        assert metric["broker"] == "pocketful"
        assert "canary" not in str(line) + str(metric) + reply.body
        assert (
            made.browser().get("/authorize/pocketful", accept="application/json").json["error"] == "app_misconfigured"
        )
        assert made.browser().get("/authorize/fivepaisa").status == 303


# ---------------------------------------------------------------- where we are


@pytest.mark.parametrize(
    ("setting", "stage", "redirect_uri"),
    [
        ("", "$default", "https://x.execute-api.ap-south-1.amazonaws.com/callback/pocketful"),
        ("", "prod", "https://x.execute-api.ap-south-1.amazonaws.com/prod/callback/pocketful"),
        ("https://www.example.com/brokers", "prod", "https://www.example.com/brokers/callback/pocketful"),
    ],
)
def test_redirect_uri_comes_from_setting_or_gateway_and_from_no_header(
    setting: str, stage: str, redirect_uri: str
) -> None:
    with world(BROKERLINK_BASE_URL=setting, BROKERLINK_CANONICAL_HOST="false") as made:
        made.host, made.stage = "x.execute-api.ap-south-1.amazonaws.com", stage
        reply = made.browser().get(
            "/authorize/pocketful",
            host="evil.example",
            x_forwarded_host="evil.example",
            x_forwarded_proto="http",
            forwarded="host=evil.example",
        )
        assert reply.query["redirect_uri"] == redirect_uri == made.attempt()["redirect_uri"]


def test_plain_http_on_this_machine_loses_prefix_secure_and_hsts() -> None:
    with world(BROKERLINK_BASE_URL="http://127.0.0.1:8000") as made:
        made.host = "127.0.0.1:8000"
        reply = made.browser().get("/authorize/pocketful")
        (cookie,) = reply.payload["cookies"]
        assert re.fullmatch(r"brokerlink=[A-Za-z0-9_-]{43}; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax", cookie)
        assert "strict-transport-security" not in reply.headers
        assert reply.query["redirect_uri"] == "http://127.0.0.1:8000/callback/pocketful"


@pytest.mark.parametrize("base_url", ["http://login.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"])
def test_plain_http_anywhere_else_is_refused_at_init(base_url: str) -> None:
    with pytest.raises(SettingError, match="PublicBaseUrl"), world(BROKERLINK_BASE_URL=base_url):
        pass


def test_table_that_does_not_answer_is_busy(the_world: World) -> None:
    the_world.faults["PutItem"] = DOWN
    reply = the_world.browser().get("/authorize/pocketful")
    assert (reply.status, reply.payload["cookies"]) == (503, [])
    assert FAILURES[Code.BUSY].text in reply.body
    assert the_world.browser().get("/authorize/pocketful", accept="application/json").json["error"] == "busy"
