"""What a warm login asks of AWS and of the brokers: each call more is a wait more for the customer."""

from __future__ import annotations

from typing import Any

import pytest

from local.stack import Stack
from tests.artifact.calls import Calls
from tests.integration.walker import Walker, attempt_of

BROKER_CALLS = {"pocketful": ["token", "identity"], "fivepaisa": ["token"]}


def asked(stack: Stack, broker: str) -> list[str]:
    """Which endpoints of a broker our functions called, so far."""
    requests = stack.simulators.recorder.requests(broker)
    return [each.endpoint for each in requests if each.endpoint != "authorize"]


@pytest.fixture(autouse=True)
def warm(walker: Walker) -> None:
    walker.log_in("pocketful")


@pytest.mark.parametrize("broker", BROKER_CALLS)
def test_a_direct_login(stack: Stack, walker: Walker, calls: Calls, broker: str) -> None:
    calls.by_caller.clear()
    broker_url = walker.start(broker)
    assert calls.by_caller["AuthorizeFunction"] == ["PutItem"]
    callback = walker.at_broker(broker_url)
    before = len(asked(stack, broker))
    assert walker.result(walker.get(callback))["status"] == "connected"
    # The fourth is the result page's.
    assert calls.by_caller["CallbackFunction"] == ["UpdateItem", "Encrypt", "TransactWriteItems", "GetItem"]
    assert asked(stack, broker)[before:] == BROKER_CALLS[broker]


def test_a_login_through_a_session(stack: Stack, walker: Walker, calls: Calls) -> None:
    (account, *_) = stack.demo_accounts["pocketful"]
    start_url = walker.session(broker="pocketful", user_id="asha", account=account)
    calls.by_caller.clear()
    callback = walker.at_broker(walker.open(start_url))
    assert calls.by_caller["AuthorizeFunction"] == ["GetItem", "PutItem"]
    walker.get(callback)
    assert calls.by_caller["CallbackFunction"] == ["UpdateItem", "Encrypt", "TransactWriteItems"]


def test_rows_stay_within_one_write_unit(stack: Stack, walker: Walker) -> None:
    """1 KB each, names and values (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)."""
    reply = walker.log_in("pocketful")
    (account,) = stack.demo_accounts["pocketful"][:1]
    found = walker.token_row(f"pocketful:{account}", f"pocketful#{account}")
    key = {"attempt_id": {"S": attempt_of(reply)}}
    attempt = stack.clients.dynamodb.get_item(TableName=stack.outputs["LoginAttemptsTableName"], Key=key)["Item"]
    for row in (found, attempt):
        assert row is not None
        values: list[Any] = [value for typed in row.values() for value in typed.values()]
        assert sum(map(len, [*row, *values])) < 1024
