"""GET /authorize/{broker}?session=: the login that a platform prepared."""

from __future__ import annotations

import json

import pytest

from tests.kit.situations import ACCOUNT, USER, assert_nothing_began, begin
from tests.kit.world import APPS, BASE_URL, MORNING, RETURN_TO, World, pocketful, world

CLOSED = {"BROKERLINK_DIRECT_LOGIN_ACCOUNTS": ""}


def session(the_world: World, **body: str) -> str:
    """Prepare a session and give the path of its start URL."""
    prepared = the_world.session(**{"broker": "pocketful", "user_id": USER, "account": ACCOUNT} | body)
    the_world.calls.clear()
    return str(prepared.json["start_url"]).removeprefix(BASE_URL)


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
