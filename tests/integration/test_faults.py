"""Brokers that fail: what the customer is told, and how often the broker saw the grant."""

from __future__ import annotations

import pytest

from tests.integration.walker import Walker, grant_of

TOKEN_FAULTS = [
    ("status:500", "failed", "broker_unavailable"),
    ("status:429", "failed", "broker_unavailable"),
    ("status:404", "failed", "broker_error"),
    ("html", "failed", "broker_error"),
    ("oversized", "failed", "broker_error"),
    ("truncated", "failed", "outcome_unknown"),
    ("reset", "failed", "outcome_unknown"),
    ("reset-after", "failed", "outcome_unknown"),
]


@pytest.mark.parametrize("broker", ["pocketful", "fivepaisa"])
@pytest.mark.parametrize(("fault", "status", "error"), TOKEN_FAULTS)
def test_exchange_that_fails_is_never_sent_twice(
    walker: Walker, broker: str, fault: str, status: str, error: str
) -> None:
    callback = walker.at_broker(walker.start(broker))
    walker.fault(broker, "token", fault)
    outcome = walker.result(walker.get(callback))
    assert (outcome["status"], outcome["error"]) == (status, error)
    assert len(walker.requests_with(grant_of(callback))) == 1
    # The way forward works, and a repeated callback does not exchange again.
    walker.get(callback)
    assert len(walker.requests_with(grant_of(callback))) == 1
    again = walker.get(outcome["retry_url"]).headers["location"]
    assert walker.result(walker.get(walker.at_broker(again)))["status"] == "connected"


@pytest.mark.parametrize("fault", ["status:500", "reset", "truncated", "html"])
def test_identity_that_fails_once_is_asked_again(walker: Walker, fault: str) -> None:
    callback = walker.at_broker(walker.start("pocketful"))
    walker.fault("pocketful", "identity", fault)
    outcome = walker.result(walker.get(callback))
    assert outcome["status"] == "connected"


def test_identity_that_keeps_failing_is_account_unknown(walker: Walker) -> None:
    callback = walker.at_broker(walker.start("pocketful"))
    walker.fault("pocketful", "identity", "status:503", times=9)
    outcome = walker.result(walker.get(callback))
    assert (outcome["status"], outcome["error"]) == ("failed", "account_unknown")
    assert len(walker.requests_with(grant_of(callback))) == 1


def test_broker_that_hangs_is_given_up_in_time(walker: Walker) -> None:
    callback = walker.at_broker(walker.start("pocketful"))
    walker.fault("pocketful", "token", "hang")
    outcome = walker.result(walker.get(callback))
    assert (outcome["status"], outcome["error"]) == ("failed", "outcome_unknown")
    assert len(walker.requests_with(grant_of(callback))) == 1
