"""GET /attempts/{attempt_id}: the truth, for a platform that does not trust a URL."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.kit.situations import ACCOUNT, SITUATIONS, USER, begin, begin_directly
from tests.kit.world import MIDNIGHT, Reply, World, pocketful


def attempt(the_world: World, attempt_id: str, **headers: str) -> Reply:
    return the_world.request("GET", f"/attempts/{attempt_id}", headers=headers)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_outcome_of_each_situation_is_exactly_this_and_reading_writes_nothing(the_world: World, situation: str) -> None:
    login, expected = begin(the_world), SITUATIONS[situation]
    expected.bring(login)
    before = login.row()
    the_world.calls.clear()
    reply = attempt(the_world, login.attempt_id)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json == {
        "attempt_id": login.attempt_id,
        "broker": "pocketful",
        "user_id": USER,
        "status": expected.standing,
        **({"account": ACCOUNT, "expires_at": MIDNIGHT} if expected.standing == "connected" else {}),
        **({"error": expected.error} if expected.error else {}),
    }
    assert the_world.calls == ["GetItem"]
    assert login.row() == before


def test_direct_login_has_no_user(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    assert attempt(the_world, login.attempt_id).json == {
        "attempt_id": login.attempt_id,
        "broker": "pocketful",
        "status": "connected",
        "account": ACCOUNT,
        "expires_at": MIDNIGHT,
    }


def test_unknown_attempt_is_404(the_world: World) -> None:
    reply = attempt(the_world, "A" * 43)
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("attempt_id", ["x", "A" * 44, "session%23" + "A" * 43, "%00", "A" * 42 + "%0A", "é"])
def test_what_can_be_no_attempt_is_404_and_the_table_is_not_asked(the_world: World, attempt_id: str) -> None:
    assert attempt(the_world, attempt_id).json == attempt(the_world, "A" * 43).json
    assert the_world.calls == ["GetItem"]


def test_session_is_no_attempt(the_world: World) -> None:
    login = begin(the_world)
    assert attempt(the_world, login.row()["session"].replace("#", "%23")).status == 404


def test_every_answer_is_json_whatever_is_accepted(the_world: World) -> None:
    login = begin_directly(the_world)
    for name in (login.attempt_id, "x"):
        assert attempt(the_world, name, accept="text/html").headers["content-type"] == "application/json"


def test_table_that_does_not_answer_is_busy(the_world: World) -> None:
    the_world.faults["GetItem"] = EndpointConnectionError(endpoint_url="https://dynamodb")
    reply = attempt(the_world, "A" * 43)
    assert (reply.status, reply.json["error"]) == (503, "busy")
