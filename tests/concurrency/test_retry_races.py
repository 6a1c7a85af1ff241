"""A customer who begins again while the first login is still on its way back."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, urlsplit

import pytest

from brokerlink.attempts import digest
from local.stack import Stack
from tests.concurrency.crowd import ROUNDS, announced, ask, attempt_row, cookie_of, outcome, together, written
from tests.integration.walker import Walker, attempt_of, grant_of

ACCOUNTS = {"pocketful": "YA0003", "fivepaisa": "50052771"}


def attempt_id_of(callback: str) -> str:
    """Give the id of the attempt that a callback belongs to."""
    return digest(dict(parse_qsl(urlsplit(callback).query))["state"])


def check_announced(stack: Stack, attempts: set[str]) -> None:
    """Check that each of them was announced as often as its token was written, which is once at most."""
    writes = [image["attempt_id"]["S"] for image in written(stack)]
    events = [event["id"] for event in announced(stack)]
    for attempt in attempts:
        assert events.count(attempt) == writes.count(attempt) <= 1


@pytest.mark.parametrize("broker", ["pocketful", "fivepaisa"])
def test_retry_races_the_late_callback_of_the_first_attempt(stack: Stack, broker: str) -> None:
    for _ in range(ROUNDS):
        walker = Walker(stack)
        first = walker.at_broker(walker.start(broker), account=ACCOUNTS[broker])
        attempt, jar = attempt_id_of(first), [cookie_of(walker)]
        pair = [partial(ask, stack, target, cookies=jar) for target in (first, f"/authorize/{broker}?retry={attempt}")]
        answers = together(pair * 4)
        late, again = answers[::2], answers[1::2]
        assert {answer.status for answer in answers} == {303}
        assert {answer.query["attempt"] for answer in late} == {attempt}
        # One that came while the first was at the broker, or after, is shown how that one ended.
        begun = [answer.location for answer in again if not answer.location.startswith("/result?")]
        assert {answer.location for answer in again if answer.location not in begun} <= {f"/result?attempt={attempt}"}
        assert outcome(stack, walker, attempt)["status"] == "connected"
        assert len(walker.requests_with(grant_of(first))) == 1
        assert attempt in [image["attempt_id"]["S"] for image in written(stack)]

        # What was begun again is a login of its own, whatever became of the first.
        urls = [walker.at_broker(url, account=ACCOUNTS[broker]) for url in begun]
        attempts = {attempt, *map(attempt_id_of, urls)}
        assert len(attempts) == 1 + len(urls)
        ends = together([partial(ask, stack, url, cookies=jar) for url in urls])
        assert {answer.query["attempt"] for answer in ends} == attempts - {attempt}
        assert {outcome(stack, walker, each)["status"] for each in attempts} == {"connected"}
        check_announced(stack, attempts)


def test_ten_retries_of_a_declined_login_keep_its_session(stack: Stack) -> None:
    walker = Walker(stack)
    start_url = walker.session(broker="pocketful", user_id="tries-again", account="YA0003")
    declined = attempt_of(walker.get(walker.at_broker(walker.open(start_url), button=1)))
    jar = [cookie_of(walker)]
    answers = together([partial(ask, stack, f"/authorize/pocketful?retry={declined}", cookies=jar)] * 10)
    assert len({answer.query["state"] for answer in answers}) == 10
    urls = [walker.at_broker(answer.location, account="YA0003") for answer in answers]
    ended = together([partial(ask, stack, url, cookies=jar) for url in urls])
    attempts = {answer.query["attempt"] for answer in ended}
    assert attempts == {attempt_id_of(url) for url in urls}
    assert len(attempts) == 10
    session = attempt_row(stack, declined)["session"]["S"]
    for attempt in attempts:
        assert outcome(stack, walker, attempt)["status"] == "connected"
        row = attempt_row(stack, attempt)
        assert (row["session"]["S"], row["user_id"]["S"]) == (session, "tries-again")
    assert attempt_row(stack, session)["status"]["S"] == "USED"
    assert outcome(stack, walker, declined)["error"] == "denied"
    check_announced(stack, attempts)
