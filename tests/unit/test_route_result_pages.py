"""What the pages of GET /result say: names, times, and where their links lead."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Final

import pytest

from brokerlink.errors import FAILURES, Code
from brokerlink.storage import Value
from tests.kit.operator import Operator
from tests.kit.races import race
from tests.kit.situations import ACCOUNT, SITUATIONS, Login, begin, begin_directly
from tests.kit.world import APPS, MIDNIGHT, MORNING, RETURN_TO, World, answer, pocketful


def links(body: str) -> list[tuple[str, str]]:
    """Give where the page's own links lead, and what they are called."""
    return re.findall(r'<a class="[^"]*" href="([^"]*)">([^<]*)</a>', unescape(body))


def shown(login: Login) -> str:
    return unescape(login.browser.get(login.result).body)


AGAIN: Final = ("{0.retry}", "Log in to Pocketful again")
THE_LOGIN: Final = "&broker=pocketful&attempt={0.attempt_id}"
HOME: Final = ("/", "All brokers")
EARLY: Final = "Pocketful has not sent you back to us yet."
SOON: Final = '<meta http-equiv="refresh" content="2">'
HOLD: Final = "Your Pocketful login worked. To finish, return to the trading platform you came from before 09:10 IST."
TONIGHT: Final = "(00:00 IST, Tue 24 Nov 2026)"
YESTERDAY: Final = "It was good until 00:00 IST, Tue 24 Nov."

PAGES = {
    "pending": (EARLY, [AGAIN]),
    "at the broker": (SOON, [("", "Page not moving? Check now")]),
    "held": (HOLD, [(RETURN_TO + "?status=confirm" + THE_LOGIN, "Return to your platform")]),
    "connected": (TONIGHT, [(RETURN_TO + "?status=connected" + THE_LOGIN, "Continue"), HOME]),
    "declined": (FAILURES[Code.DENIED].text, [AGAIN, HOME]),
    "expired": (FAILURES[Code.EXPIRED].text, [AGAIN, HOME]),
    "claim run out": (FAILURES[Code.OUTCOME_UNKNOWN].text, [AGAIN, HOME]),
    "hold run out": (FAILURES[Code.EXPIRED].text, [AGAIN, HOME]),
    "day over": (YESTERDAY, [AGAIN]),
}


@pytest.mark.parametrize("situation", PAGES)
def test_page_says_what_is_and_leads_on(the_world: World, situation: str) -> None:
    login = begin(the_world)
    SITUATIONS[situation].bring(login)
    if situation == "day over":
        the_world.clock.now += 3600
    said, ways = PAGES[situation]
    body = shown(login)
    assert said in body
    assert links(body) == [(href.format(login), label) for href, label in ways]


def test_page_of_a_login_without_a_platform_leads_home(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    body = shown(login)
    assert links(body) == [HOME]
    assert TONIGHT in body


def test_page_of_a_hold_without_a_platform_leads_nowhere(the_world: World) -> None:
    login = begin(the_world)
    SITUATIONS["held"].bring(login)
    the_world.dynamodb.update_item(
        TableName="LoginAttempts",
        Key={"attempt_id": {"S": login.attempt_id}},
        UpdateExpression="REMOVE return_to",
    )
    assert links(shown(login)) == []


@pytest.mark.parametrize(("later", "told"), [(0, True), (29, True), (30, False), (600, False)])
def test_page_of_a_broker_that_wants_no_request_says_until_when(the_world: World, later: int, *, told: bool) -> None:
    login = begin(the_world, account=ACCOUNT)
    login.come_back(answer("", 429, retry_after="30"))
    assert login.row()["retry_at"] == MORNING + 30
    the_world.clock.now += later
    assert ("Pocketful asks you to wait until 09:01 IST before you try again." in shown(login)) is told


def test_page_of_a_broker_that_is_off_meanwhile_calls_it_by_its_id(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    the_world.environment["BROKERLINK_BROKER_APPS"] = json.dumps({**APPS, "pocketful": {}})
    the_world.build()
    assert "<h1>pocketful is connected</h1>" in shown(login)


@pytest.mark.parametrize("code", Code)
def test_page_of_a_listed_code_leads_to_the_start_page_alone(the_world: World, code: Code) -> None:
    body = the_world.browser().get(f"/result?error={code}").body
    assert links(body) == [("/", "Go to the start page")]
    assert "Reference for support" not in body


def test_page_of_an_unknown_login_says_so_and_leads_home(the_world: World) -> None:
    reply = the_world.browser().get("/result?attempt=" + "A" * 43)
    assert reply.status == 404
    assert "<h1>We do not know this login</h1>" in reply.body
    assert "We have no login of this browser under this address." in reply.body
    assert links(reply.body) == [HOME]


def test_page_of_a_claim_that_ran_out_shows_what_was_committed_at_the_last_moment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with race() as made:
        login = begin_directly(made)
        SITUATIONS["claim run out"].bring(login)
        connected: dict[str, Value] = {"status": "SUCCEEDED", "account": ACCOUNT, "token_expires_at": MIDNIGHT}
        made.rivals["UpdateItem"] = lambda: login.rewrite(**connected)
        operator = Operator(made, capsys)
        operator.look_away()
        assert "<h1>Pocketful is connected</h1>" in shown(login)
        assert operator.metrics() == []


def test_page_of_a_claim_that_ran_out_and_whose_row_is_removed_shows_what_was_met(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with race() as made:
        login = begin_directly(made)
        SITUATIONS["claim run out"].bring(login)
        key = {"attempt_id": {"S": login.attempt_id}}
        made.rivals["UpdateItem"] = lambda: made.dynamodb.delete_item(TableName="LoginAttempts", Key=key)
        operator = Operator(made, capsys)
        operator.look_away()
        assert FAILURES[Code.OUTCOME_UNKNOWN].text in shown(login)
        assert operator.metrics() == []
