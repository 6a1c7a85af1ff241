"""GET /authorize/{broker}?retry=: what this browser began before, once more."""

from __future__ import annotations

import pytest

from tests.kit.situations import ACCOUNT, SITUATIONS, USER, Login, assert_nothing_began, begin, begin_directly
from tests.kit.world import RETURN_TO, World, pocketful

CLOSED = {"BROKERLINK_DIRECT_LOGIN_ACCOUNTS": ""}


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
