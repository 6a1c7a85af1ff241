"""Callbacks that come twice, at once, too late, or by a robot: one exchange, one token, one event, one outcome."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.attacks.over_http.scene import ACCOUNT, FORM, Browser, Login, Scene
from tests.attacks.over_http.wire import Header

BROKERS = ["pocketful", "fivepaisa"]
# Each request at once takes a process of the function, whose start takes longer than all else here.
_AT_ONCE = 4


def events_of(scene: Scene, attempt_id: str) -> int:
    return sum(event["id"] == attempt_id for event in scene.stack.received.events)


@pytest.mark.parametrize("broker", BROKERS)
def test_same_callback_twice_replays_the_success(scene: Scene, broker: str) -> None:
    customer = scene.browser().login(f"/authorize/{broker}")
    first, row = customer.finish(), customer.row()
    assert [customer.finish().location for _ in range(3)] == [first.location] * 3
    assert scene.exchanges(customer.grant) == 1
    assert customer.row() == row
    scene.stack.received.wait_for(lambda event: event["id"] == customer.attempt_id)
    assert events_of(scene, customer.attempt_id) == 1


def test_genuine_callback_amid_a_swarm_of_forged_ones(customer: Login, attacker: Browser) -> None:
    forged = customer.callback.replace(customer.grant, "forged")

    def send(number: int) -> str:
        if number == 9:
            return customer.finish().location
        browser = attacker if number % 2 else Browser(customer.scene)
        return browser.get(customer.callback if number % 3 else forged).location

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        locations = list(threads.map(send, range(18)))
    assert locations.pop(9) == f"/result?attempt={customer.attempt_id}"
    assert set(locations) == {"/result?error=wrong_browser"}
    assert customer.scene.exchanges("forged") == 0
    assert customer.scene.exchanges(customer.grant) == 1
    assert customer.outcome()["status"] == "connected"


def test_decline_and_grant_at_once_come_to_one_outcome(customer: Login) -> None:
    declined = f"{customer.path}?error=access_denied&state={customer.state}"
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(customer.browser.get, [customer.callback, declined] * 3))
    outcome = customer.outcome()
    assert (outcome["status"], outcome.get("error")) in {("connected", None), ("failed", "denied")}
    assert customer.scene.exchanges(customer.grant) == (outcome["status"] == "connected")
    assert [customer.finish().status, customer.outcome()] == [303, outcome]


@pytest.mark.parametrize("grant", ["another", "same"])
def test_failed_attempt_is_never_exchanged_again(customer: Login, grant: str) -> None:
    customer.browser.get(f"{customer.path}?error=access_denied&state={customer.state}")
    late = customer.callback if grant == "same" else customer.callback.replace(customer.grant, "another-grant")
    assert customer.browser.get(late).status == 303
    assert customer.scene.exchanges(customer.grant) + customer.scene.exchanges("another-grant") == 0
    assert customer.outcome()["error"] == "denied"


def test_other_grant_in_a_callback_that_has_succeeded_is_not_sent(customer: Login) -> None:
    first = customer.finish()
    again = customer.browser.get(customer.callback.replace(customer.grant, "second-grant"))
    assert again.location == first.location
    assert customer.scene.exchanges("second-grant") == 0


def test_replay_after_the_row_is_gone(customer: Login) -> None:
    customer.finish()
    customer.scene.remove(customer.attempt_id)
    assert customer.finish().status == 400
    assert customer.scene.exchanges(customer.grant) == 1


def test_event_that_the_platform_delivers_again_is_exchanged_once(customer: Login) -> None:
    key = customer.browser.cookies["brokerlink"]
    host = customer.scene.api.host
    event = {
        "version": "2.0",
        "routeKey": "GET /callback/{broker}",
        "rawPath": customer.path,
        "rawQueryString": customer.callback.partition("?")[2],
        "headers": {"host": host},
        "cookies": [f"brokerlink={key}"],
        "pathParameters": {"broker": "pocketful"},
        "requestContext": {
            "http": {"method": "GET", "path": customer.path},
            "domainName": host,
            "stage": "$default",
            "requestId": "delivered-twice",
        },
        "isBase64Encoded": False,
    }
    function = customer.scene.stack.functions["CallbackFunction"]
    answers: list[Any] = [function.invoke(event, patience=30) for _ in range(3)]
    assert {answer["headers"]["location"] for answer in answers} == {f"/result?attempt={customer.attempt_id}"}
    assert customer.scene.exchanges(customer.grant) == 1
    assert customer.outcome()["status"] == "connected"


PREFETCHES: list[Header] = [
    ("Sec-Purpose", "prefetch"),
    ("Sec-Purpose", "prefetch;prerender"),
    ("Sec-Purpose", "PREFETCH"),
    ("Purpose", "prefetch"),
]


@pytest.mark.parametrize("header", PREFETCHES, ids=": ".join)
def test_prefetch_consumes_nothing(scene: Scene, victim: Login, header: Header) -> None:
    rows = scene.rows_made
    start_url = scene.session(account=ACCOUNT)
    for target in (victim.callback, "/authorize/pocketful", start_url, f"/result?attempt={victim.attempt_id}", "/"):
        answer = victim.browser.get(target, header, unavailable=True)
        assert (answer.status, answer.cookies) == (503, {})
    assert scene.rows_made == rows + 1
    victim.assert_untouched()


ROBOTS = [
    "facebookexternalhit/1.1",
    "WhatsApp/2.23",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
]


def test_link_preview_robots_open_the_start_link_before_its_human(scene: Scene) -> None:
    start_url = scene.session(account=ACCOUNT, user_id="previewed")
    for agent in ROBOTS:
        assert scene.browser().get(start_url, ("User-Agent", agent)).status == 303
        scene.api.ask("HEAD", start_url, ("User-Agent", agent))
    human = scene.browser().login(start_url)
    human.finish()
    assert human.outcome()["status"] == "connected"
    assert scene.token("previewed") is not None


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "QUERY", "get", "G"]
)
def test_callback_by_another_method_consumes_nothing(victim: Login, method: str) -> None:
    cookie = ("Cookie", f"brokerlink={victim.browser.cookies['brokerlink']}")
    answer = victim.scene.api.ask(method, victim.callback, cookie)
    assert (answer.status, answer.ours) == (404, False)
    victim.assert_untouched()


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"])
def test_method_override_is_not_heard(victim: Login, header: str) -> None:
    assert victim.browser.post(victim.path, b"", FORM, (header, "GET")).status == 303
    assert Browser(victim.scene).get(victim.callback, (header, "POST")).location == "/result?error=wrong_browser"
    victim.assert_untouched()


def test_back_and_reload_show_a_page_whose_address_holds_no_secret(customer: Login) -> None:
    location = customer.finish().location
    assert not [secret for secret in (customer.grant, customer.state) if secret in location]
    assert customer.browser.get(location).body == customer.browser.get(location).body
    assert customer.finish().location == location
    assert customer.scene.exchanges(customer.grant) == 1


def test_attempt_that_ran_out_at_the_broker_is_not_exchanged(customer: Login) -> None:
    customer.scene.rewrite(customer.attempt_id, expires_at=1)
    customer.finish()
    assert customer.outcome()["error"] == "expired"
    assert customer.scene.exchanges(customer.grant) == 0


def test_attempt_whose_claimant_is_gone_is_not_exchanged_again(customer: Login) -> None:
    customer.scene.rewrite(customer.attempt_id, status="EXCHANGING", claimed_by="crashed", claim_expires_at=1)
    customer.finish()
    outcome = customer.outcome()
    assert outcome["error"] == "outcome_unknown"
    assert customer.scene.exchanges(customer.grant) == 0
    again = customer.browser.login(outcome["retry_url"].removeprefix(customer.scene.stack.base_url))
    again.finish()
    assert again.outcome()["status"] == "connected"


def test_token_of_yesterday_is_told_as_ended_though_its_row_is_still_there(scene: Scene) -> None:
    customer = scene.browser().login(scene.session(account="YB0117", user_id="overnight"), account="YB0117")
    customer.finish()
    scene.rewrite(customer.attempt_id, token_expires_at=1)
    assert customer.outcome()["error"] == "expired"
    assert scene.backend("GET", f"/attempts/{customer.attempt_id}").json["error"] == "expired"
    assert "connected" not in customer.browser.get(customer.finish().location).text
    assert scene.exchanges(customer.grant) == 1
