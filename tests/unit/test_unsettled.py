"""What the operator sees of a failure that could not be written: one line and one metric, and no more later."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from brokerlink.outbound import Answer, Request
from tests.kit.operator import Operator
from tests.kit.situations import Login
from tests.kit.world import World, answer

DOWN = EndpointConnectionError(endpoint_url="https://aws")
CONFLICT = ClientError({"Error": {"Code": "TransactionConflictException", "Message": "canary"}}, "UpdateItem")


def and_then_the_table_is_gone(world: World, says: Answer) -> Any:
    """Give an answer of the broker, from which on no attempt can be updated."""

    def script(_: Request) -> Answer:
        world.faults["UpdateItem"] = DOWN
        return says

    return script


@pytest.mark.parametrize(
    ("says", "code", "level"),
    [
        pytest.param(answer({"error": "invalid_grant"}, 400), "grant_rejected", "WARNING", id="the customer's"),
        pytest.param(answer({"error": "invalid_request"}, 400), "app_misconfigured", "ERROR", id="the operator's"),
    ],
)
def test_failure_that_cannot_be_written_is_told_once_and_its_end_when_it_is_known(
    the_world: World, operator: Operator, login: Login, says: Answer, code: str, level: str
) -> None:
    reply = login.come_back(and_then_the_table_is_gone(the_world, says))
    assert reply.location == f"{login.result}&wait=1"
    (line,) = operator.lines()
    assert (line["message"], line["level"], line["code"], line["step"]) == ("unsettled", level, code, "exchange")
    assert line["attempt_id"] == login.attempt_id
    assert "UpdateItem: EndpointConnectionError" in line["reason"]
    assert line["broker"] == "pocketful"
    assert operator.counted() == [("unsettled", "pocketful")]

    the_world.faults.clear()
    the_world.clock.now += 60
    for _ in range(3):
        login.browser.get(login.result)
    assert [line["code"] for line in operator.lines()] == ["outcome_unknown"]
    assert operator.metrics() == ["outcome_unknown"]


def test_claim_that_meets_a_transaction_is_told(the_world: World, operator: Operator, login: Login) -> None:
    the_world.faults["UpdateItem"] = CONFLICT
    login.come_back()
    (line,) = operator.lines()
    assert (line["message"], line["level"], line["code"], line["step"]) == ("unsettled", "WARNING", "busy", "claim")
    assert "TransactionConflictException" in line["reason"]
    assert operator.metrics() == ["unsettled"]


def test_repeat_while_the_first_is_at_the_broker_is_nothing_to_tell(operator: Operator, login: Login) -> None:
    login.rewrite(status="EXCHANGING", claimed_by="another-invocation", claim_expires_at=int(login.world.clock()) + 33)
    login.come_back()
    assert operator.lines() == []
    assert operator.metrics() == []
