"""What the operator sees of each way in which a callback can end: one line and one metric, of its broker and login."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.attempts import digest
from brokerlink.errors import FAILURES, Code
from tests.kit.operator import Operator
from tests.kit.situations import SITUATIONS, USER, Login, begin
from tests.kit.world import APPS, World, answer, pocketful, world

OTHERS_STATE = "o" * 43
SAID = ("message", "broker", "attempt_id", "code", "step", "reason", "why")


@pytest.fixture
def the_world() -> Iterator[World]:
    with world(apps={**APPS, "pocketful": {**APPS["pocketful"], "scope": "orders holdings"}}) as made:
        yield made


def told(line: dict[str, Any]) -> dict[str, Any]:
    """Give what a line says, without what the logger adds."""
    return {name: line.get(name) for name in SAID}


def the_line(**said: str) -> dict[str, str | None]:
    return {**dict.fromkeys(SAID), "broker": "pocketful", **said}


def test_connected_is_told_once(operator: Operator, login: Login) -> None:
    login.come_back(*pocketful())
    assert [told(line) for line in operator.lines()] == [the_line(message="connected", attempt_id=login.attempt_id)]
    assert operator.counted() == [("connected", "pocketful")]
    login.come_back()
    assert (operator.lines(), operator.counted()) == ([], [])


def test_held_is_told_once(the_world: World, operator: Operator) -> None:
    login = begin(the_world)
    operator.look_away()
    login.come_back(*pocketful())
    assert [told(line) for line in operator.lines()] == [the_line(message="held", attempt_id=login.attempt_id)]
    assert operator.counted() == [("held", "pocketful")]
    login.come_back()
    assert (operator.lines(), operator.counted()) == ([], [])


def test_confirmed_is_told_once(the_world: World, operator: Operator) -> None:
    login = begin(the_world)
    login.come_back(*pocketful())
    operator.look_away()
    for lines in ([the_line(message="connected", attempt_id=login.attempt_id)], []):
        the_world.confirm(login.attempt_id, USER)
        assert [told(line) for line in operator.lines()] == lines
        assert operator.counted() == [("connected", "pocketful")] * len(lines)


@pytest.mark.parametrize("look", [1, 3])
def test_what_ran_out_is_told_once_however_often_it_is_looked_at(operator: Operator, login: Login, look: int) -> None:
    SITUATIONS["claim run out"].bring(login)
    for _ in range(look):
        login.browser.get(login.result)
    assert [told(line) for line in operator.lines()] == [
        the_line(message="failed", attempt_id=login.attempt_id, code="outcome_unknown")
    ]
    assert operator.counted() == [("outcome_unknown", "pocketful")]


def test_failure_is_told_once_with_its_step(operator: Operator, login: Login) -> None:
    login.come_back(answer({"error": "invalid_grant"}, 400))
    (line,) = operator.lines()
    assert line["reason"]
    assert told(line) | {"reason": None} == the_line(
        message="failed", attempt_id=login.attempt_id, code="grant_rejected", step="exchange"
    )
    assert operator.counted() == [("grant_rejected", "pocketful")]
    login.come_back()
    assert (operator.lines(), operator.counted()) == ([], [])


def test_what_consumed_nothing_is_told_each_time(the_world: World, operator: Operator, login: Login) -> None:
    the_world.faults["UpdateItem"] = EndpointConnectionError(endpoint_url="https://aws")
    for _ in range(2):
        reply = login.come_back()
        assert reply.status == 503
        (line,) = operator.lines()
        assert "EndpointConnectionError" in line["reason"]
        assert told(line) | {"reason": None} == the_line(
            message="failed", attempt_id=login.attempt_id, code="busy", step="claim"
        )
        assert operator.counted() == [("busy", "pocketful")]


def test_scope_that_was_reduced_is_told_beside_the_success(operator: Operator, login: Login) -> None:
    login.come_back(*pocketful(scope="orders"))
    assert [told(line) for line in operator.lines()] == [
        the_line(message="connected", attempt_id=login.attempt_id),
        the_line(message="refused", reason="scope_reduced"),
    ]
    assert operator.counted() == [("connected", "pocketful"), ("scope_reduced", "pocketful")]


def test_settled_by_a_late_callback_is_told(the_world: World, operator: Operator, login: Login) -> None:
    the_world.clock.now += 600
    login.come_back()
    (line,) = operator.lines()
    assert (line["message"], line["code"], line["attempt_id"]) == ("failed", "expired", login.attempt_id)


@pytest.mark.parametrize(
    ("target", "reason", "why"),
    [
        ("?code=c", "state_missing", "state"),
        (f"?code=c&code=d&state={OTHERS_STATE}", "invalid_request", "repeated"),
        (f"?code=c&state={OTHERS_STATE}", "state_unknown", None),
    ],
)
def test_what_cannot_be_attributed_is_told_without_quoting_it(
    operator: Operator, login: Login, target: str, reason: str, why: str | None
) -> None:
    reply = login.browser.get(f"/callback/pocketful{target}")
    assert reply.status == 400
    failure = FAILURES[Code.INVALID_REQUEST]
    for text in (f"<h1>{failure.title}</h1>", failure.text, 'href="/"'):
        assert text in unescape(reply.body)
    (line,) = operator.lines()
    assert told(line) | {"why": None} == the_line(message="refused", reason=reason)
    assert line.get("why") is None if why is None else why in line["why"]
    assert OTHERS_STATE not in str(line)
    assert digest(OTHERS_STATE) not in str(line)
    assert operator.counted() == [(reason, "pocketful")]


@pytest.mark.parametrize("key", [None, "b" * 43], ids=["no cookie", "another browser's"])
def test_wrong_browser_is_told(the_world: World, operator: Operator, login: Login, key: str | None) -> None:
    cookies = None if key is None else [f"__Host-brokerlink={key}"]
    the_world.request("GET", f"/callback/pocketful?code=c&state={login.state}", cookies=cookies)
    assert [told(line) for line in operator.lines()] == [the_line(message="refused", reason="wrong_browser")]
    assert operator.counted() == [("wrong_browser", "pocketful")]


def test_wrong_browser_is_sent_below_the_public_address() -> None:
    with world(BROKERLINK_BASE_URL="https://www.example.com/brokers") as made:
        reply = made.request("GET", f"/callback/pocketful?code=c&state={OTHERS_STATE}")
        assert reply.location == "/brokers/result?error=wrong_browser"


LONG = "x" * 4_000
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("code=ä", "the posted form is not ASCII"),
        (f"code={LONG}&state={LONG}", "the posted form does not fit into a URL"),
        ("code=%ff", "a parameter is not UTF-8"),
    ],
    ids=["not ASCII", "too long", "malformed"],
)
def test_posted_callback_that_is_refused_is_told(the_world: World, operator: Operator, body: str, why: str) -> None:
    reply = the_world.request("POST", "/callback/pocketful", headers={"content-type": FORM}, body=body)
    assert reply.status == 400
    (line,) = operator.lines()
    assert line["why"] == why
    assert told(line) | {"why": None} == the_line(message="refused", reason="invalid_request")
    assert operator.counted() == [("invalid_request", "pocketful")]


def test_posted_callback_of_another_type_is_told_to_its_sender(the_world: World) -> None:
    reply = the_world.request("POST", "/callback/pocketful", headers={"content-type": "text/plain"}, body="code=c")
    assert reply.status == 415
    for text in ("We cannot read this", "Brokers send a form here. Please start again.", 'href="/"'):
        assert text in reply.body


def test_what_consumed_nothing_is_answered_with_the_brokers_name_and_the_page_itself_again(
    the_world: World, login: Login
) -> None:
    the_world.faults["UpdateItem"] = EndpointConnectionError(endpoint_url="https://aws")
    body = login.come_back().body
    assert ">Pocketful<" in body
    assert re.findall(r'<a class="[^"]*" href="([^"]*)">([^<]*)', body) == [("", "Try again")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_broker_that_is_unknown_or_off_is_told(
    the_world: World, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    headers = {"content-type": FORM}
    unknown = the_world.request(method, "/callback/nosuch", headers=headers, body="code=c")
    assert (unknown.status, 'href="/"' in unknown.body) == (404, True)
    the_world.environment["BROKERLINK_BROKER_APPS"] = json.dumps({**APPS, "pocketful": {}})
    the_world.build()
    operator = Operator(the_world, capsys)
    operator.look_away()
    assert the_world.request(method, "/callback/pocketful", headers=headers, body="code=c").status == 503
    assert [(line["message"], line["broker"]) for line in operator.lines()] == [("misconfigured", "pocketful")]
    assert operator.counted() == [("app_misconfigured", "pocketful")]


def test_posted_callback_without_parameters_is_bounced_without_a_query(the_world: World) -> None:
    reply = the_world.request("POST", "/callback/pocketful", headers={"content-type": FORM}, body="")
    assert (reply.status, reply.location) == (303, "/callback/pocketful")


@pytest.mark.parametrize("size", [6_144, 6_145])
def test_posted_callback_is_bounced_up_to_what_the_gateway_takes(the_world: World, size: int) -> None:
    form = f"code={LONG}&state="
    form += "s" * (size - len(f"/callback/pocketful?{form}"))
    reply = the_world.request("POST", "/callback/pocketful", headers={"content-type": FORM}, body=form)
    assert reply.status == (303 if size == 6_144 else 400)
