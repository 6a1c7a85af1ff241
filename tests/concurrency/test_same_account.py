"""Two logins to the same account at once: the later issue wins, and each token that was written is announced once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from local.stack import Stack
from tests.concurrency.crowd import (
    PATIENCE,
    ROUNDS,
    announced,
    ask,
    attempt_row,
    cookie_of,
    outcome,
    owner_of,
    together,
    written,
)
from tests.integration.walker import Walker, grant_of

ACCOUNTS = {"pocketful": "YB0117", "fivepaisa": "51100284"}


def check_writes(stack: Stack, broker: str, attempts: set[str]) -> None:
    """Check that each write was newer than the one before it, is announced once, and that the last one is the row."""
    account = ACCOUNTS[broker]
    writes = [image for image in written(stack) if image["connection"]["S"] == f"{broker}#{account}"]
    by_user = [image for image in writes if image["user_id"]["S"] == f"{broker}:{account}"]
    issued = [int(image["issued_at_ms"]["N"]) for image in by_user]
    assert issued == sorted(set(issued))
    assert Walker(stack).token_row(f"{broker}:{account}", f"{broker}#{account}") == by_user[-1]
    assert owner_of(stack, by_user[-1]) == account
    stored, events = [image["attempt_id"]["S"] for image in by_user], [event["id"] for event in announced(stack)]
    assert attempts & {*stored}, "none of them was written"
    for attempt in attempts:
        assert events.count(attempt) == stored.count(attempt) <= 1


@pytest.mark.parametrize("broker", ["pocketful", "fivepaisa"])
@pytest.mark.parametrize("browsers", [1, 2], ids=["two tabs", "two browsers"])
def test_two_logins_to_one_account_at_once(stack: Stack, broker: str, browsers: int) -> None:
    walkers = [Walker(stack) for _ in range(browsers)]
    for _ in range(ROUNDS):
        pairs = [
            (walker, walker.at_broker(walker.start(broker), account=ACCOUNTS[broker]))
            for walker in (walkers[0], walkers[-1])
        ]
        # Each callback twice, so that the winner's repetition meets the loser's commit too.
        answers = together([partial(ask, stack, url, cookies=[cookie_of(walker)]) for walker, url in pairs * 2])
        assert {answer.status for answer in answers} == {303}
        attempts = {answer.query["attempt"] for answer in answers}
        assert len(attempts) == 2
        for (walker, url), answer in zip(pairs, answers[:2], strict=True):
            assert outcome(stack, walker, answer.query["attempt"])["status"] == "connected"
            assert len(walker.requests_with(grant_of(url))) == 1
        check_writes(stack, broker, attempts)


def test_ten_logins_to_one_account_at_once(stack: Stack) -> None:
    walker = Walker(stack)
    urls = [walker.at_broker(walker.start("pocketful"), account=ACCOUNTS["pocketful"]) for _ in range(10)]
    answers = together([partial(ask, stack, url, cookies=[cookie_of(walker)]) for url in urls])
    assert {answer.status for answer in answers} == {303}
    attempts = {answer.query["attempt"] for answer in answers}
    assert {outcome(stack, walker, attempt)["status"] for attempt in attempts} == {"connected"}
    assert len(attempts) == 10
    check_writes(stack, "pocketful", attempts)


def test_slow_login_does_not_take_the_place_of_a_later_one(stack: Stack) -> None:
    """Its token is older: the customer is connected all the same, and there is no second event."""
    slow, quick = Walker(stack), Walker(stack)
    slow_url = slow.at_broker(slow.start("pocketful"), account=ACCOUNTS["pocketful"])
    quick_url = quick.at_broker(quick.start("pocketful"), account=ACCOUNTS["pocketful"])
    # The question for the account is not answered, and asked again after four seconds.
    slow.fault("pocketful", "identity", "hang")
    recorder = stack.simulators.recorder
    asked = len(recorder.requests("pocketful", "identity"))
    with ThreadPoolExecutor(1) as thread:
        comes_back = thread.submit(ask, stack, slow_url, cookies=[cookie_of(slow)])
        assert recorder.wait_for(asked + 1, "pocketful", "identity", seconds=PATIENCE)
        later = ask(stack, quick_url, cookies=[cookie_of(quick)]).query["attempt"]
        earlier = comes_back.result(PATIENCE).query["attempt"]

    for walker, attempt in ((slow, earlier), (quick, later)):
        assert outcome(stack, walker, attempt)["status"] == "connected"
    row = quick.token_row(f"pocketful:{ACCOUNTS['pocketful']}", f"pocketful#{ACCOUNTS['pocketful']}")
    assert row is not None
    assert row["attempt_id"]["S"] == later
    events = [event["id"] for event in announced(stack)]
    assert (events.count(later), events.count(earlier)) == (1, 0)
    assert attempt_row(stack, earlier)["status"]["S"] == "SUCCEEDED"
