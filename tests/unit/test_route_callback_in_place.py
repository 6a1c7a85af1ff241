"""GET /callback/{broker}: the one answer in place, where nothing was consumed."""

from __future__ import annotations

import json
from html import unescape

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.errors import FAILURES, Code
from brokerlink.outbound import NoAnswer, NotSent
from tests.kit.situations import assert_untouched, begin_directly
from tests.kit.world import MORNING, SECRETS, Context, Reply, World, answer

DOWN = EndpointConnectionError(endpoint_url="https://aws")
WRONG_BROWSER = "/result?error=wrong_browser"


def assert_in_place(reply: Reply, code: Code) -> None:
    assert reply.status == 503
    assert FAILURES[code].text in unescape(reply.body)
    # The page's own URL, which carries state and grant, so no page repeats it.
    assert 'href=""' in reply.body


@pytest.mark.parametrize(
    ("operation", "code"),
    [("GetSecretValue", Code.BUSY), ("UpdateItem", Code.BUSY)],
)
def test_what_cannot_be_asked_just_now_is_busy_in_place_and_the_row_pending(
    the_world: World, operation: str, code: Code
) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.faults[operation] = DOWN
    reply = login.come_back()
    assert_in_place(reply, code)
    assert login.state not in reply.body
    assert "canary-code" not in reply.body
    the_world.faults.clear()
    assert_untouched(login, before)


@pytest.mark.parametrize(
    "secret",
    ["{}", "[]", "not JSON", '{"pocketful": {}}', '{"pocketful": {"client_secret": 7}}', '{"pocketful": "canary"}'],
)
def test_malformed_secret_is_app_misconfigured_in_place_and_the_row_pending(the_world: World, secret: str) -> None:
    the_world.secretsmanager.put_secret_value(SecretId=the_world.secret, SecretString=secret)
    login = begin_directly(the_world)
    before = login.row()
    assert_in_place(login.come_back(), Code.APP_MISCONFIGURED)
    line = the_world.lines()[-1]
    assert line["level"] == "ERROR"
    assert "pocketful.client_secret" in line["reason"]
    the_world.secretsmanager.put_secret_value(SecretId=the_world.secret, SecretString=json.dumps(SECRETS))
    assert_untouched(login, before)


def test_broker_that_nothing_could_be_sent_to_is_unavailable_in_place_and_the_row_pending(the_world: World) -> None:
    login = begin_directly(the_world)
    before = login.row()
    assert_in_place(login.come_back(NotSent("dns"), NotSent("dns")), Code.BROKER_UNAVAILABLE)
    assert len(the_world.http.sent) == 2
    the_world.http.sent.clear()
    assert_untouched(login, before)


def test_too_little_time_is_busy_in_place_and_the_row_pending(the_world: World) -> None:
    login = begin_directly(the_world)
    before = login.row()
    function, event = the_world.event("GET", f"/callback/pocketful?code=c&state={login.state}")
    event["cookies"] = [f"{name}={value}" for name, value in login.browser.cookies.items()]
    assert_in_place(Reply(the_world.functions[function](event, Context(remaining=8_500))), Code.BUSY)
    assert_untouched(login, before)


def test_wrong_browser_meets_no_page_in_place(the_world: World) -> None:
    login = begin_directly(the_world)
    stranger = the_world.browser()
    stranger.start()
    the_world.faults["GetSecretValue"] = DOWN
    assert stranger.come_back(login.state).location == WRONG_BROWSER


def test_lost_answer_of_the_broker_is_no_case_for_a_page_in_place(the_world: World) -> None:
    login = begin_directly(the_world)
    assert login.come_back(NoAnswer("timeout")).location == login.result
    assert login.row()["error"] == "outcome_unknown"


def test_wait_that_the_broker_asks_for_is_on_the_page(the_world: World) -> None:
    login = begin_directly(the_world)
    reply = login.come_back(answer("{}", 429, retry_after="300"))
    assert login.row()["retry_at"] == MORNING + 300
    assert "asks you to wait until 09:05 IST" in login.browser.get(reply.location).body
