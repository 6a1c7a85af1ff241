"""A held login, and everything that can end it, at once: confirm, the wrong user, the end of the hold, the browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf

import httpx

from local.stack import Stack
from tests.concurrency.crowd import ROUNDS, Answer, announced, ask, attempt_row, cookie_of, together, written
from tests.integration.walker import Walker, attempt_of

ACCOUNT = "YC2040"


@dataclass(frozen=True)
class Held:
    """A login that waits for its platform's word."""

    stack: Stack
    walker: Walker
    attempt: str
    user: str
    callback: str

    def confirm(self, user: str) -> httpx.Response:
        return self.walker.backend("POST", "/confirm", {"attempt": self.attempt, "user_id": user})

    def right(self) -> httpx.Response:
        return self.confirm(self.user)

    def wrong(self) -> httpx.Response:
        return self.confirm("mallory")

    def result(self) -> Answer:
        target = f"/result?attempt={self.attempt}"
        return ask(self.stack, target, cookies=[cookie_of(self.walker)], accept="application/json")

    def again(self) -> Answer:
        return ask(self.stack, self.callback, cookies=[cookie_of(self.walker)])

    def shown(self) -> dict[str, object]:
        found: dict[str, object] = self.walker.backend("GET", f"/attempts/{self.attempt}").json()
        return found


def hold(stack: Stack, user: str) -> Held:
    walker = Walker(stack)
    start_url = walker.session(broker="pocketful", user_id=user, return_to=f"{stack.base_url}/example/return")
    callback = walker.at_broker(walker.open(start_url), account=ACCOUNT)
    reply = walker.get(callback)
    assert dict(httpx.URL(reply.headers["location"]).params)["status"] == "confirm"
    return Held(stack, walker, attempt_of(reply), user, callback)


def check_end(held: Held, *, confirmed: bool, error: str) -> None:
    """Check that all there is says the same: the login is committed once, or it is gone."""
    shown, row = held.shown(), attempt_row(held.stack, held.attempt)
    token = held.walker.token_row(held.user, f"pocketful#{ACCOUNT}")
    assert "ciphertext" not in row
    written_for_it = [image["attempt_id"]["S"] for image in written(held.stack)].count(held.attempt)
    events = [event["id"] for event in announced(held.stack)].count(held.attempt)
    if confirmed:
        assert (shown["status"], row["status"]["S"]) == ("connected", "SUCCEEDED")
        assert token is not None
        assert token["attempt_id"]["S"] == held.attempt
        assert (written_for_it, events) == (1, 1)
    else:
        assert (shown["status"], shown["error"], row["status"]["S"]) == ("failed", error, "FAILED")
        assert token is None
        assert (written_for_it, events) == (0, 0)


def test_right_user_races_wrong_user(stack: Stack) -> None:
    for number in range(2 * ROUNDS):
        held = hold(stack, f"right-or-wrong-{number}")
        # Who is first in the row is first by a little; both ends are seen.
        order = [held.right, held.wrong] if number % 2 else [held.wrong, held.right]
        replies = together(order * 5)
        right, wrong = replies[1 - number % 2 :: 2], replies[number % 2 :: 2]
        assert {reply.status_code for reply in wrong} <= {404, 503}
        # A conflict changes nothing and is asked again; of the others, all have the same answer.
        (answered,) = {reply.status_code for reply in right} - {503} or {held.right().status_code}
        assert answered in {200, 404}
        check_end(held, confirmed=answered == 200, error="account_mismatch")
        assert held.right().status_code == answered
        assert held.wrong().status_code == 404


def test_confirm_races_the_repeated_callback_and_the_result_page(stack: Stack) -> None:
    for number in range(ROUNDS):
        held = hold(stack, f"impatient-{number}")
        actions: list[Callable[[], httpx.Response | Answer]] = [held.right, held.again, held.result]
        replies = together(actions * 6)
        confirms = [reply for reply in replies if isinstance(reply, httpx.Response)]
        assert {reply.status_code for reply in confirms} <= {200, 503}
        for reply in replies:
            if isinstance(reply, Answer) and reply.status == 303:
                assert reply.query["status"] in {"confirm", "connected"}
            elif isinstance(reply, Answer):
                assert reply.json["status"] in {"confirm", "connected"}
        check_end(held, confirmed=True, error="")


def test_confirm_races_the_end_of_the_hold(stack: Stack) -> None:
    """Once anybody was told that it is over, nobody is told later that it is connected."""
    logins = [hold(stack, f"at-the-last-moment-{number}") for number in range(4 * ROUNDS)]
    ends = int(time.time()) + 3
    for held in logins:
        stack.clients.dynamodb.update_item(
            TableName=stack.deployment.outputs["LoginAttemptsTableName"],
            Key={"attempt_id": {"S": held.attempt}},
            UpdateExpression="SET held_until = :ends",
            ExpressionAttributeValues={":ends": {"N": str(ends)}},
        )
    # Each is confirmed a little later than the one before, from a moment before the end to a moment after it.
    told = together(
        [
            partial(_at, ends + 0.12 / ROUNDS * number - 0.36 + 0.02 * step, held, action)
            for number, held in enumerate(logins)
            for step, action in enumerate((held.right, held.result, held.shown, held.right, held.result))
        ]
    )
    for held in logins:
        mine = [each for each in told if each.held is held]
        # `/attempts` only reads: it may say so while a commit that was in time is still on its way.
        over = [each.came for each in mine if each.said == "failed" and each.writes]
        connected = [each.asked for each in mine if each.said == "connected"]
        assert max(connected, default=0.0) <= min(over, default=inf), "it was over, and then it was not"
        last = held.right().status_code
        assert last == 200 or not connected
        check_end(held, confirmed=last == 200, error="expired")
    # Long after the end nothing can be confirmed, whatever had been told before.
    assert {held.wrong().status_code for held in logins} == {404}


@dataclass(frozen=True)
class Said:
    """What an answer said of a held login, and when it was asked for and there (monotonic seconds)."""

    held: Held
    asked: float
    came: float
    said: str
    writes: bool


def _at(moment: float, held: Held, action: Callable[[], object]) -> Said:
    time.sleep(max(0.0, moment - time.time()))
    asked = time.monotonic()
    reply = action()
    return Said(held, asked, time.monotonic(), _told(reply), writes=not isinstance(reply, dict))


def _told(reply: object) -> str:
    """Say in one word what an answer says of the login."""
    if isinstance(reply, httpx.Response):
        return {200: "connected", 404: "failed", 503: "busy"}[reply.status_code]
    if isinstance(reply, Answer):
        return str(reply.json["status"])
    assert isinstance(reply, dict)
    return str(reply["status"])
