"""Attacks whose moment counts to the second or less: on the handlers, whose clock is in the test's hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokerlink.outbound import Answer, Request
from tests.kit.situations import ACCOUNT, USER, Login, begin, begin_directly
from tests.kit.world import MIDNIGHT, Reply, World, pocketful, world


@pytest.fixture
def the_world() -> Iterator[World]:
    with world() as made:
        yield made


def meanwhile(act: Callable[[], object], then: Answer) -> Callable[[Request], Answer]:
    """Give an answer of the broker that comes after something else has happened here."""

    def answer_late(_request: Request) -> Answer:
        act()
        return then

    return answer_late


def finish(login: Login, *steps: Answer | Callable[[Request], Answer]) -> Reply:
    login.world.http.script = list(steps)
    return login.browser.get(f"/callback/pocketful?code=c&state={login.state}")


def test_same_callback_20_times_while_the_first_is_at_the_broker_is_exchanged_once(the_world: World) -> None:
    login = begin_directly(the_world)
    replies: list[Reply] = []

    def others() -> None:
        target = f"/callback/pocketful?code=c&state={login.state}"
        replies.extend(login.browser.get(target) for _ in range(19))

    token, account = pocketful()
    first = finish(login, meanwhile(others, token), meanwhile(others, account))
    assert {reply.location for reply in replies} == {f"{login.result}&wait=1"}
    assert first.location == login.result
    assert login.browser.get(f"{login.result}&wait=1").location == login.result
    assert len(the_world.http.sent) == 2
    assert len(the_world.tokens()) == 1


def test_two_logins_that_finish_a_millisecond_apart_leave_the_later_token(the_world: World) -> None:
    early, late = (begin(the_world, account=ACCOUNT) for _ in range(2))
    token, account = pocketful(token="early")
    late_answers = pocketful(token="late")

    def overtake() -> None:
        the_world.clock.now += 0.001
        finish(late, *late_answers)

    finish(early, token, meanwhile(overtake, account))
    assert early.row()["status"] == late.row()["status"] == "SUCCEEDED"
    (kept,) = the_world.tokens()
    assert kept["attempt_id"] == late.attempt_id
    assert early.browser.get(early.result).status == 200


def test_forwarded_start_link_is_held_for_ten_minutes_to_the_second(the_world: World) -> None:
    in_time, too_late = begin(the_world), begin(the_world)
    for victim in (in_time, too_late):
        victim.come_back(*pocketful("VICTIM1"))
    the_world.clock.now += 599
    assert the_world.confirm(in_time.attempt_id, USER).status == 200
    the_world.clock.now += 1
    assert the_world.confirm(too_late.attempt_id, USER).status == 404
    assert "ciphertext" not in too_late.row()
    (token,) = the_world.tokens()
    assert token["attempt_id"] == in_time.attempt_id


def test_tab_left_open_overnight_says_expired_at_midnight(the_world: World) -> None:
    login = begin(the_world, account=ACCOUNT)
    login.come_back(*pocketful())
    the_world.clock.now = MIDNIGHT - 1
    assert login.browser.get(login.result, accept="application/json").json["status"] == "connected"
    the_world.clock.now = MIDNIGHT
    # The rows are still there: whether they are alive is told by the clock, not by their removal.
    assert the_world.tokens()
    assert login.browser.get(login.result, accept="application/json").json["error"] == "expired"
    assert the_world.request("GET", f"/attempts/{login.attempt_id}").json["error"] == "expired"
    assert login.browser.get(login.come_back().location).status == 200
    assert "Linked until" not in login.browser.get("/").body


def test_attempt_is_finished_in_its_last_second_and_not_after_it(the_world: World) -> None:
    in_time, too_late = begin_directly(the_world), begin_directly(the_world)
    the_world.clock.now += 599
    in_time.come_back(*pocketful())
    the_world.clock.now += 1
    too_late.come_back()
    assert (in_time.row()["status"], too_late.row()["error"]) == ("SUCCEEDED", "expired")
    assert len(the_world.http.sent) == 2
