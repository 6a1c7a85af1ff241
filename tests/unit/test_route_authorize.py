"""GET /authorize/{broker}: how a login begins."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.attempts import digest
from brokerlink.errors import FAILURES, Code, SettingError
from tests.kit.situations import assert_nothing_began
from tests.kit.world import APPS, BASE_URL, MORNING, RETURN_TO, World, world

BASE64URL = re.compile(r"[A-Za-z0-9_-]{43}")
DOWN = EndpointConnectionError(endpoint_url="https://dynamodb")


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
