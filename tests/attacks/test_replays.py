"""Callbacks that come twice, at once, too late or by a robot: one exchange, one token, one outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brokerlink.outbound import Answer, Request
from tests.kit.situations import ACCOUNT, USER, Login, begin, begin_directly
from tests.kit.world import BASE_URL, MIDNIGHT, Context, Reply, World, pocketful, world


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


def test_same_callback_twice_replays_the_success(the_world: World) -> None:
    login = begin_directly(the_world)
    first = login.come_back(*pocketful())
    token = the_world.tokens()
    for _ in range(3):
        assert login.come_back().location == first.location
    assert len(the_world.http.sent) == 2
    assert the_world.tokens() == token


def test_same_callback_20_times_while_the_first_is_at_the_broker_exchanges_once(the_world: World) -> None:
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


def test_replay_from_another_browser_gets_no_hint(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    stranger = the_world.browser()
    stranger.start()
    reply = stranger.come_back(login.state)
    assert reply.location == "/result?error=wrong_browser"
    shown = stranger.get(reply.location).body + stranger.get(login.result).body
    for hint in (ACCOUNT, "YA", "Pocketful", login.attempt_id):
        assert hint not in shown


def test_replay_after_the_row_is_gone_is_unknown(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    the_world.dynamodb.delete_item(TableName="LoginAttempts", Key={"attempt_id": {"S": login.attempt_id}})
    assert login.come_back().status == 400
    assert len(the_world.http.sent) == 2


def test_forged_grant_sent_before_the_genuine_one_burns_nothing(the_world: World) -> None:
    login = begin_directly(the_world)
    assert the_world.browser().come_back(login.state, code="forged").location == "/result?error=wrong_browser"
    assert login.come_back(*pocketful(), code="genuine").location == login.result
    assert b"genuine" in (the_world.http.sent[0].body or b"")


@pytest.mark.parametrize("header", ["sec_purpose", "purpose"])
@pytest.mark.parametrize("route", ["callback", "start", "session", "result", "home"])
def test_prefetch_consumes_nothing(the_world: World, route: str, header: str) -> None:
    login = begin_directly(the_world)
    start_url = str(the_world.session(broker="pocketful", user_id=USER, account=ACCOUNT).json["start_url"])
    before = the_world.attempts()
    target = {
        "callback": f"/callback/pocketful?code=c&state={login.state}",
        "start": "/authorize/pocketful",
        "session": start_url.removeprefix(BASE_URL),
        "result": login.result,
        "home": "/",
    }[route]
    reply = login.browser.get(target, **{header: "prefetch"})
    assert (reply.status, reply.payload["cookies"]) == (503, [])
    assert the_world.attempts() == before
    assert login.come_back(*pocketful()).location == login.result


def test_link_preview_robot_opens_the_start_url_first(the_world: World) -> None:
    start_url = str(the_world.session(broker="pocketful", user_id=USER, account=ACCOUNT).json["start_url"])
    robots = [the_world.browser().get(start_url).query["state"] for _ in range(5)]
    human = the_world.browser()
    state = human.get(start_url).query["state"]
    human.come_back(state, *pocketful())
    assert the_world.tokens()[0]["user_id"] == USER
    for robot in robots:
        assert human.come_back(robot).location == "/result?error=wrong_browser"


def test_back_and_reload_show_the_result_again_at_a_url_without_grant_or_state(the_world: World) -> None:
    login = begin_directly(the_world)
    location = login.come_back(*pocketful(), code="canary").location
    assert "canary" not in location
    assert login.state not in location
    assert login.browser.get(location).body == login.browser.get(location).body
    assert login.come_back(code="canary").location == location
    assert len(the_world.http.sent) == 2


def test_event_that_the_platform_delivers_again_exchanges_once(the_world: World) -> None:
    login = begin_directly(the_world)
    cookies = [f"{name}={value}" for name, value in login.browser.cookies.items()]
    function, event = the_world.event("GET", f"/callback/pocketful?code=c&state={login.state}", cookies=cookies)
    the_world.http.script = list(pocketful())
    replies = [Reply(the_world.functions[function](event, Context())) for _ in range(3)]
    assert {reply.location for reply in replies} == {login.result}
    assert len(the_world.http.sent) == 2


def test_two_logins_of_one_user_that_finish_in_each_others_way_leave_the_later_token(the_world: World) -> None:
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


def test_tab_left_open_overnight_says_expired(the_world: World) -> None:
    login = begin(the_world, account=ACCOUNT)
    login.come_back(*pocketful())
    the_world.clock.now = MIDNIGHT
    # The rows are still there: whether they are alive is told by the clock, not by their removal.
    assert the_world.tokens()
    assert login.browser.get(login.result, accept="application/json").json["error"] == "expired"
    assert the_world.request("GET", f"/attempts/{login.attempt_id}").json["error"] == "expired"
    assert login.browser.get(login.come_back().location).status == 200
    assert "Linked until" not in login.browser.get("/").body
