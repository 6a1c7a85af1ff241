"""One callback, fifty times at once, with forgeries, robots and impatient customers in between."""

from __future__ import annotations

from functools import partial

import pytest

from local.stack import Stack
from tests.concurrency.crowd import ask, attempt_row, check_once, cookie_of, outcome, together, written
from tests.integration.walker import Walker, attempt_of, grant_of

CROWD = 50

both_brokers = pytest.mark.parametrize("broker", ["pocketful", "fivepaisa"])


@both_brokers
def test_fifty_among_forgeries_and_robots(stack: Stack, walker: Walker, broker: str) -> None:
    callback = walker.at_broker(walker.start(broker))
    stranger = Walker(stack)
    stranger.start(broker)
    jar = [cookie_of(walker)]
    genuine = [partial(ask, stack, callback, cookies=jar)] * CROWD
    forged = [partial(ask, stack, callback), partial(ask, stack, callback, cookies=[cookie_of(stranger)])] * 10
    robots = [partial(ask, stack, callback, cookies=jar, sec_purpose="prefetch")] * 10
    answers = together([*genuine, *forged, *robots])

    ends = answers[:CROWD]
    assert {answer.status for answer in ends} == {303}
    (attempt,) = {answer.query["attempt"] for answer in ends}
    assert {answer.location.partition("?")[0] for answer in ends} == {"/result"}
    assert {(answer.status, answer.location) for answer in answers[CROWD:-10]} == {(303, "/result?error=wrong_browser")}
    assert {answer.status for answer in answers[-10:]} == {503}

    # Who was told to wait, and does, is told of the same outcome as who was not.
    assert outcome(stack, walker, attempt)["status"] == "connected"
    told = together([partial(ask, stack, answer.location, cookies=jar) for answer in ends])
    waited = [answer for answer in told if answer.status == 303]
    assert {answer.location for answer in waited} <= {f"/result?attempt={attempt}"}
    shown = [answer for answer in told if answer not in waited]
    assert {answer.status for answer in shown} <= {200}
    assert all("is connected" in answer.text for answer in shown)
    check_once(stack, walker, callback, attempt)


@both_brokers
@pytest.mark.parametrize(
    ("fault", "error"),
    [("status:500", "broker_unavailable"), ("reset-after", "outcome_unknown"), ("html", "broker_error")],
)
def test_fifty_that_fail_fail_once(stack: Stack, walker: Walker, broker: str, fault: str, error: str) -> None:
    """A second exchange would meet no fault, and succeed."""
    callback = walker.at_broker(walker.start(broker))
    walker.fault(broker, "token", fault)
    answers = together([partial(ask, stack, callback, cookies=[cookie_of(walker)])] * CROWD)
    assert {answer.status for answer in answers} == {303}
    (attempt,) = {answer.query["attempt"] for answer in answers}
    told = outcome(stack, walker, attempt)
    assert (told["status"], told["error"]) == ("failed", error)
    assert len(walker.requests_with(grant_of(callback))) == 1
    assert attempt not in [image["attempt_id"]["S"] for image in written(stack)]


def test_fifty_that_are_held_are_held_once_and_confirmed_once(stack: Stack, walker: Walker) -> None:
    return_to = f"{stack.base_url}/example/return"
    start_url = walker.session(broker="pocketful", user_id="crowd", return_to=return_to)
    callback = walker.at_broker(walker.open(start_url), account="YA0003")
    answers = together([partial(ask, stack, callback, cookies=[cookie_of(walker)])] * CROWD)
    assert {answer.status for answer in answers} == {303}
    (attempt,) = {answer.query["attempt"] for answer in answers}
    # Those that came while the first was at the broker wait on our page; the others return to the platform.
    assert {answer.query.get("status") for answer in answers} <= {"confirm", None}
    assert outcome(stack, walker, attempt)["status"] == "confirm"
    assert walker.token_row("crowd", "pocketful#YA0003") is None

    confirm = partial(walker.backend, "POST", "/confirm", {"attempt": attempt, "user_id": "crowd"})
    confirms = together([confirm] * 20)
    # A confirmation that meets another one may have to be repeated, as the contract says.
    assert {reply.status_code for reply in confirms} <= {200, 503}
    assert len({reply.text for reply in confirms if reply.status_code == 200}) == 1
    check_once(stack, walker, callback, attempt)
    assert "ciphertext" not in attempt_row(stack, attempt)


def test_start_link_opened_fifty_times_begins_fifty_logins_of_which_any_may_succeed(
    stack: Stack, walker: Walker
) -> None:
    start_url = walker.session(broker="pocketful", user_id="previewed", account="YB0117")
    robots = together([partial(ask, stack, start_url)] * CROWD)
    assert {answer.status for answer in robots} == {303}
    assert len({answer.query["state"] for answer in robots}) == CROWD
    # None of them has another's cookie either.
    assert len({cookie for answer in robots for cookie in answer.cookies}) == CROWD
    reply = walker.get(walker.at_broker(walker.open(start_url), account="YB0117"))
    assert outcome(stack, walker, attempt_of(reply))["status"] == "connected"
    assert {answer.status for answer in together([partial(ask, stack, start_url)] * 10)} == {410}
