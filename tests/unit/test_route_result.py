"""GET /result: the outcome of this browser's attempt, as a page and as JSON, in every situation."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.errors import FAILURES, Code
from tests.kit.situations import ACCOUNT, SITUATIONS, USER, Login, begin, begin_directly
from tests.kit.world import APPS, BASE_URL, MIDNIGHT, MORNING, RETURN_TO, Reply, World, pocketful, world

RUN_OUT = {"claim run out", "hold run out"}


def bring(the_world: World, situation: str) -> Login:
    login = begin(the_world)
    SITUATIONS[situation].bring(login)
    the_world.calls.clear()
    return login


# ---------------------------------------------------------------- the page

PAGES = {
    "pending": "Your Pocketful login is not finished",
    "at the broker": "Finishing your Pocketful login",
    "held": "One step left",
    "connected": "Pocketful is connected",
    "declined": FAILURES[Code.DENIED].title,
    "expired": FAILURES[Code.EXPIRED].title,
    "expired and met": FAILURES[Code.EXPIRED].title,
    "claim run out": FAILURES[Code.OUTCOME_UNKNOWN].title,
    "hold run out": FAILURES[Code.EXPIRED].title,
    "day over": "Your Pocketful login has ended",
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_page_of_each_situation_answers_200(the_world: World, situation: str) -> None:
    login = bring(the_world, situation)
    reply = login.browser.get(login.result)
    assert reply.status == 200
    assert f"<h1>{PAGES[situation]}</h1>" in unescape(reply.body)
    assert ("connected" in reply.body.lower()) is (situation == "connected")
    assert ACCOUNT not in reply.body
    assert USER not in reply.body
    assert ('http-equiv="refresh"' in reply.body) is (situation == "at the broker")
    again = f'href="/authorize/pocketful?retry={login.attempt_id}"'
    assert (again in reply.body) is (SITUATIONS[situation].standing in {"pending", "failed"})


@pytest.mark.parametrize("situation", SITUATIONS)
def test_only_what_ran_out_at_us_is_written_by_looking(the_world: World, situation: str) -> None:
    login = bring(the_world, situation)
    before = login.row()
    login.browser.get(login.result)
    after = login.row()
    if situation in RUN_OUT:
        assert (after["status"], after["error"]) == ("FAILED", SITUATIONS[situation].error)
        assert after.keys().isdisjoint({"ciphertext", "code_verifier"})
    else:
        assert after == before
        assert the_world.calls == ["GetItem"]


def test_page_of_success_says_account_and_end(the_world: World) -> None:
    login = begin_directly(the_world)
    body = login.browser.get(login.come_back(*pocketful()).location).body
    assert "YA••02" in body
    assert "midnight tonight" in body
    assert "00:00 IST, Tue 24 Nov 2026" in body


def test_page_leads_back_to_the_platform_with_the_outcome(the_world: World) -> None:
    login = bring(the_world, "connected")
    (href,) = re.findall(r'class="button" href="([^"]*)"', login.browser.get(login.result).body)
    assert unescape(href) == f"{RETURN_TO}?status=connected&broker=pocketful&attempt={login.attempt_id}"


def test_page_works_where_the_platform_is_on_an_ipv6_loopback() -> None:
    settings = {"BROKERLINK_BASE_URL": "http://127.0.0.1:8000", "BROKERLINK_RETURN_TO": "http://[::1]:3000/"}
    with world(**settings) as made:
        made.host = "127.0.0.1:8000"
        login = begin(made, account=ACCOUNT, return_to="http://[::1]:3000/x")
        login.come_back(*pocketful())
        reply = login.browser.get(login.result)
        assert reply.status == 200
        assert 'href="http://[::1]:3000/x?' in reply.body


def test_page_of_a_failure_has_a_reference_and_no_more_of_the_attempt(the_world: World) -> None:
    login = bring(the_world, "declined")
    body = login.browser.get(login.result).body.replace(login.retry, "")
    assert login.attempt_id[:12] in body
    assert login.attempt_id not in body


def test_broker_that_is_off_meanwhile_does_not_hide_the_outcome(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    the_world.environment["BROKERLINK_BROKER_APPS"] = json.dumps({**APPS, "pocketful": {}})
    the_world.build()
    assert "is connected" in login.browser.get(login.result).body


@pytest.mark.parametrize("situation", SITUATIONS)
def test_success_is_remembered_and_nothing_else(the_world: World, situation: str) -> None:
    login = bring(the_world, situation)
    login.browser.cookies.pop("__Host-brokerlink-links", None)
    cookies = login.browser.get(login.result).payload["cookies"]
    if situation == "connected":
        kept = f"__Host-brokerlink-links=pocketful.{MIDNIGHT}; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax; Secure"
        assert cookies == [kept]
        assert login.browser.get(login.result).payload["cookies"] == []
    else:
        assert cookies == []


# ---------------------------------------------------------------- wait=1


@pytest.mark.parametrize("situation", SITUATIONS)
def test_waiting_refreshes_itself_and_then_goes_where_the_callback_would_have_gone(
    the_world: World, situation: str
) -> None:
    login, expected = bring(the_world, situation), SITUATIONS[situation]
    reply = login.browser.get(f"{login.result}&wait=1")
    if expected.standing in {"pending", "in_progress"}:
        assert reply.status == 200
        assert f"<h1>{PAGES[situation]}</h1>" in reply.body
    else:
        assert reply.status == 303
        assert reply.location == login.browser.come_back(login.state).location
        assert reply.query["status"] == expected.standing


def test_waiting_without_return_to_ends_at_the_plain_result(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    reply = login.browser.get(f"{login.result}&wait=1")
    assert (reply.status, reply.location) == (303, login.result)


@pytest.mark.parametrize("wait", ["0", "", "true", "11"])
def test_only_wait_1_waits(the_world: World, wait: str) -> None:
    login = bring(the_world, "connected")
    assert login.browser.get(f"{login.result}&wait={wait}").status == 200


def test_claim_that_runs_out_while_waiting_is_told_by_the_clock(the_world: World) -> None:
    login = bring(the_world, "at the broker")
    the_world.clock.now += 32
    assert login.browser.get(f"{login.result}&wait=1").status == 200
    the_world.clock.now += 1
    reply = login.browser.get(f"{login.result}&wait=1")
    assert (reply.status, reply.query["error"]) == (303, "outcome_unknown")


# ---------------------------------------------------------------- JSON


def as_json(login: Login, target: str | None = None, **headers: str) -> Reply:
    return login.browser.get(target or login.result, accept="application/json", **headers)


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("wait", ["", "&wait=1"])
def test_json_of_each_situation_is_exactly_this(the_world: World, situation: str, wait: str) -> None:
    login, expected = bring(the_world, situation), SITUATIONS[situation]
    reply = as_json(login, login.result + wait)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    exactly: dict[str, object] = {"attempt_id": login.attempt_id, "broker": "pocketful", "status": expected.standing}
    if expected.standing == "connected":
        exactly |= {"account": "YA••02", "expires_at": MIDNIGHT}
    if expected.error:
        exactly |= {"error": expected.error, "message": FAILURES[Code(expected.error)].text}
    if expected.standing in {"pending", "failed"}:
        exactly["retry_url"] = BASE_URL + login.retry
    assert reply.json == exactly


def test_json_retry_url_begins_anew(the_world: World) -> None:
    login = bring(the_world, "declined")
    assert login.browser.get(as_json(login).json["retry_url"]).status == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site", "made-up"])
@pytest.mark.parametrize("query", ["", "&wait=1", "&error=denied"])
def test_json_is_closed_to_other_sites_and_says_why(the_world: World, site: str, query: str) -> None:
    login = bring(the_world, "connected")
    reply = as_json(login, login.result + query, sec_fetch_site=site)
    assert reply.status == 403
    assert reply.json.keys() == {"error", "message"}
    assert "cookie" in reply.json["message"]
    assert "YA" not in reply.body
    assert the_world.calls == []


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_json_is_open_to_our_own_pages(the_world: World, site: str) -> None:
    assert as_json(bring(the_world, "connected"), sec_fetch_site=site).status == 200


# ---------------------------------------------------------------- an attempt that is not this browser's


@pytest.mark.parametrize("situation", SITUATIONS)
def test_another_browser_learns_and_touches_nothing(the_world: World, situation: str) -> None:
    login = bring(the_world, situation)
    stranger = the_world.browser()
    stranger.start()
    before = login.row()
    for target in (login.result, f"{login.result}&wait=1"):
        unknown = target.replace(login.attempt_id, "A" * 43)
        shown = stranger.get(target)
        assert shown.status == 404
        assert shown.payload == stranger.get(unknown).payload
        told = stranger.get(target, accept="application/json")
        assert (told.status, told.json) == (404, {"status": "unknown"})
    assert login.row() == before


@pytest.mark.parametrize(
    "query", ["", "?attempt=", "?attempt=short", "?attempt=session%23" + "A" * 43, "?attempt=" + "A" * 44, "?wait=1"]
)
def test_what_names_no_attempt_is_unknown_before_dynamodb_is_asked(the_world: World, query: str) -> None:
    browser = the_world.browser()
    browser.start()
    the_world.calls.clear()
    assert browser.get(f"/result{query}").status == 404
    assert browser.get(f"/result{query}", accept="application/json").json == {"status": "unknown"}
    assert the_world.calls == []


def test_without_a_cookie_it_is_unknown_before_dynamodb_is_asked(the_world: World) -> None:
    login = bring(the_world, "connected")
    for cookies in (
        [],
        ["__Host-brokerlink=short"],
        ["__Host-brokerlink=" + "A" * 43, "__Host-brokerlink=" + "B" * 43],
    ):
        assert the_world.request("GET", login.result, cookies=cookies).status == 404
    assert the_world.calls == []


@pytest.mark.parametrize("query", ["attempt=a&attempt=a", "attempt=a&x=%ff", "error=denied&error=denied"])
def test_malformed_query_is_a_400(the_world: World, query: str) -> None:
    assert the_world.browser().get(f"/result?{query}").status == 400
    assert the_world.browser().get(f"/result?{query}", accept="application/json").json["error"] == "invalid_request"


# ---------------------------------------------------------------- a listed code


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("more", ["", "&attempt=" + "A" * 43, "&wait=1"])
def test_listed_code_shows_its_page_and_depends_on_nothing_else(the_world: World, code: Code, more: str) -> None:
    reply = the_world.browser().get(f"/result?error={code}{more}")
    assert reply.status == 200
    assert FAILURES[code].title in unescape(reply.body)
    assert FAILURES[code].text in unescape(reply.body)
    assert "connected" not in reply.body.lower()
    assert re.findall(r'href="(/[^"]*)"', reply.body) == ["/"]
    told = the_world.browser().get(f"/result?error={code}{more}", accept="application/json")
    assert told.json == {"status": "failed", "error": code, "message": FAILURES[code].text}
    assert the_world.calls == []


@pytest.mark.parametrize("code", ["", "nosuch", "DENIED", "denied%20", "%3Cscript%3E", "connected", "denied,denied"])
def test_any_other_code_is_a_400_and_not_echoed(the_world: World, code: str) -> None:
    reply = the_world.browser().get(f"/result?error={code}")
    assert reply.status == 400
    for echo in ("nosuch", "<script>", "connected"):
        assert echo not in reply.body
    assert the_world.calls == []


# ---------------------------------------------------------------- what may go wrong


@pytest.mark.parametrize(("operation", "situation"), [("GetItem", "connected"), ("UpdateItem", "claim run out")])
def test_table_that_does_not_answer_is_busy(the_world: World, operation: str, situation: str) -> None:
    login = bring(the_world, situation)
    the_world.faults[operation] = EndpointConnectionError(endpoint_url="https://dynamodb")
    reply = login.browser.get(login.result)
    assert reply.status == 503
    assert FAILURES[Code.BUSY].text in reply.body
    assert 'href=""' in reply.body
    assert as_json(login).json["error"] == "busy"


def test_prefetch_of_a_result_asks_nothing(the_world: World) -> None:
    login = bring(the_world, "claim run out")
    assert login.browser.get(login.result, sec_purpose="prefetch").status == 503
    assert the_world.calls == []


def test_late_repeat_after_the_row_is_gone_is_unknown(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    the_world.dynamodb.delete_item(TableName="LoginAttempts", Key={"attempt_id": {"S": login.attempt_id}})
    assert login.browser.get(login.result).status == 404
    assert login.come_back().status == 400
    assert the_world.clock.now == MORNING
