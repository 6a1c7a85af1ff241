"""What operator, customer and program are told of each way in which GET /authorize/{broker} can end."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.kit.operator import Operator
from tests.kit.situations import ACCOUNT, USER, begin
from tests.kit.world import APPS, BASE_URL, RETURN_TO, World, world

UNPINNED = {"fivepaisa": {"vendor_key": "vendor-key", "allow_unpinned": True}}
BY_FORM = {"fivepaisa": {"vendor_key": "vendor-key", "login_method": "post"}}


def a_session_of_nobody(_: World) -> str:
    return "/authorize/pocketful?session=" + "A" * 43


def a_session_that_names_no_account_any_more(world: World) -> str:
    prepared = world.session(broker="fivepaisa", user_id=USER, return_to=RETURN_TO)
    world.environment["BROKERLINK_BROKER_APPS"] = world.environment["BROKERLINK_BROKER_APPS"].replace("true", "false")
    world.build()
    return str(prepared.json["start_url"]).removeprefix(BASE_URL)


def nothing_but_a_broker(world: World) -> str:
    world.environment["BROKERLINK_DIRECT_LOGIN_ACCOUNTS"] = ""
    world.build()
    return "/authorize/fivepaisa"


def somebody_elses_attempt(_: World) -> str:
    return "/authorize/fivepaisa?retry=" + "A" * 43


@dataclass(frozen=True)
class Refusal:
    """A start that is refused: where it leads from, and what is then counted, answered and said."""

    ask: Callable[[World], str]
    metric: str
    status: int
    title: str
    text: str
    link: str | None = None


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(
            a_session_of_nobody,
            "session_not_startable",
            410,
            "This link does not work any more",
            "A link to log in works for ten minutes, and until a login through it has succeeded. "
            "Please go back to your trading platform and start again from there.",
        ),
        Refusal(
            a_session_that_names_no_account_any_more,
            "session_unpinned",
            403,
            "This link is not complete",
            "It does not say which account it is for, which this broker needs. "
            "Please go back to your trading platform and start again from there.",
        ),
        Refusal(
            nothing_but_a_broker,
            "direct_login_closed",
            403,
            "Please start from your trading platform",
            "Logins here begin on the trading platform that you use. Nothing was started.",
        ),
        Refusal(
            somebody_elses_attempt,
            "not_retryable",
            410,
            "This login cannot be tried again",
            "It began in another browser or too long ago. Please start a new login.",
            "/",
        ),
    ],
    ids=lambda refusal: refusal.metric,
)
def test_refusal_is_told_once_to_the_operator_and_says_the_same_to_customer_and_program(
    capsys: pytest.CaptureFixture[str], refusal: Refusal
) -> None:
    with world(apps=APPS | UNPINNED) as made:
        target = refusal.ask(made)
        operator = Operator(made, capsys)
        operator.look_away()
        reply = made.browser().get(target)
        (line,) = operator.lines()
        broker = target.split("/")[2].partition("?")[0]
        assert (line["message"], line["reason"], line["broker"]) == ("refused", refusal.metric, broker)
        assert operator.counted() == [(refusal.metric, broker)]
        assert reply.status == refusal.status
        assert heading(reply.body) == refusal.title
        assert f">{refusal.text}<" in reply.body
        assert re.findall(r'class="button[^"]*" href="([^"]*)"', reply.body) == ([refusal.link] if refusal.link else [])
        answer = made.browser().get(target, accept="application/json")
        assert (answer.status, answer.json["error"]) == (refusal.status, "invalid_request")
        assert answer.json["message"] == refusal.text


def heading(body: str) -> str:
    """Give what a page says first."""
    (found,) = re.findall(r"<h1[^>]*>(.*?)</h1>", body)
    return html.unescape(found)


@pytest.mark.parametrize("through", ["a session", "nothing"])
def test_start_is_told_once_with_its_attempt(the_world: World, operator: Operator, through: str) -> None:
    if through == "nothing":
        the_world.browser().start()
    else:
        begin(the_world, account=ACCOUNT)
    (line,) = operator.lines()
    attempt_id = the_world.attempt()["attempt_id"]
    assert (line["message"], line["broker"], line["attempt_id"]) == ("started", "pocketful", attempt_id)
    assert operator.counted() == [("started", "pocketful")]


def test_cross_site_link_is_asked_about_with_the_brokers_name(the_world: World) -> None:
    reply = the_world.browser().get("/authorize/fivepaisa", sec_fetch_site="cross-site")
    assert heading(reply.body) == "Log in to 5paisa?"


def test_form_names_its_broker_and_is_told_to_programs_as_what_they_cannot_use() -> None:
    with world(apps=BY_FORM) as made:
        assert heading(made.browser().get("/authorize/fivepaisa").body) == "Continue to 5paisa"
        answer = made.browser().get("/authorize/fivepaisa", accept="application/json")
        assert (answer.status, answer.json["error"]) == (406, "invalid_request")
        assert "form" in answer.json["message"]
