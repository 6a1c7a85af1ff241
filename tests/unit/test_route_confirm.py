"""POST /confirm: the platform says who is present, and nothing but that commits a held login."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.kit.operator import Operator
from tests.kit.races import race
from tests.kit.situations import ACCOUNT, SITUATIONS, USER, Login, begin, begin_directly
from tests.kit.world import MIDNIGHT, Reply, World, pocketful

DOWN = EndpointConnectionError(endpoint_url="https://dynamodb")
CONFLICT = ClientError(
    {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": [{"Code": "TransactionConflict"}]},
    "TransactWriteItems",
)


@pytest.fixture
def held(the_world: World) -> Login:
    login = begin(the_world)
    login.come_back(*pocketful())
    assert login.row()["status"] == "HELD"
    the_world.calls.clear()
    return login


def assert_not_found(reply: Reply) -> None:
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/json"
    assert reply.json.keys() == {"error", "message"}
    assert "no such attempt" in reply.json["message"]
    for hint in (ACCOUNT, "YA", USER, "pocketful"):
        assert hint not in reply.body


def test_right_user_commits_the_login(the_world: World, held: Login) -> None:
    reply = the_world.confirm(held.attempt_id, USER)
    assert reply.status == 200
    assert reply.json == {"broker": "pocketful", "account": ACCOUNT, "expires_at": MIDNIGHT}
    assert held.row()["status"] == "SUCCEEDED"
    assert held.row().keys().isdisjoint({"ciphertext", "code_verifier"})
    (token,) = the_world.tokens()
    assert (token["user_id"], token["account"], token["attempt_id"]) == (USER, ACCOUNT, held.attempt_id)
    opened = the_world.kms.decrypt(
        CiphertextBlob=token["ciphertext"],
        EncryptionContext={
            "purpose": "broker-access-token",
            "broker": "pocketful",
            "account": ACCOUNT,
            "user_id": USER,
        },
    )
    assert opened["Plaintext"] == b"canary-access-token"
    assert [row["status"] for row in the_world.attempts() if "browser_hash" not in row] == ["USED"]


def test_repeating_it_is_harmless(the_world: World, held: Login) -> None:
    first = the_world.confirm(held.attempt_id, USER)
    before = the_world.tokens()
    for _ in range(3):
        assert the_world.confirm(held.attempt_id, USER).payload == first.payload
    assert the_world.tokens() == before


@pytest.mark.parametrize("user_id", ["user-2", "USER-1", "user-1 ", "", "é", "\ud800", "pocketful:YA0002", "x" * 200])
def test_wrong_user_ends_the_login_and_the_ciphertext_is_gone(the_world: World, held: Login, user_id: str) -> None:
    assert_not_found(the_world.confirm(held.attempt_id, user_id))
    row = held.row()
    assert (row["status"], row["error"]) == ("FAILED", "account_mismatch")
    assert "ciphertext" not in row
    assert_not_found(the_world.confirm(held.attempt_id, USER))
    assert the_world.tokens() == []


@pytest.mark.parametrize(("after", "status"), [(599, 200), (599.9, 200), (600, 404), (10_000, 404)])
def test_it_has_ten_minutes_to_the_second(the_world: World, held: Login, after: float, status: int) -> None:
    the_world.clock.now += after
    reply = the_world.confirm(held.attempt_id, USER)
    assert reply.status == status
    assert len(the_world.tokens()) == (1 if status == 200 else 0)
    if status == 404:
        assert (held.row()["status"], held.row()["error"]) == ("FAILED", "expired")
        assert "ciphertext" not in held.row()


def test_it_ends_with_the_tokens_own_day(the_world: World) -> None:
    the_world.clock.now = MIDNIGHT - 60
    login = begin(the_world)
    login.come_back(*pocketful())
    assert login.row()["held_until"] == MIDNIGHT
    the_world.clock.now = MIDNIGHT
    assert_not_found(the_world.confirm(login.attempt_id, USER))
    assert the_world.tokens() == []


@pytest.mark.parametrize("situation", [name for name, each in SITUATIONS.items() if each.status != "HELD"])
@pytest.mark.parametrize("user_id", [USER, "user-2", "é"])
def test_what_is_not_held_stays_as_it_is(the_world: World, situation: str, user_id: str) -> None:
    login = begin(the_world)
    SITUATIONS[situation].bring(login)
    before, tokens = the_world.attempts(), the_world.tokens()
    reply = the_world.confirm(login.attempt_id, user_id)
    if situation == "connected" and user_id == USER:
        assert reply.json == {"broker": "pocketful", "account": ACCOUNT, "expires_at": MIDNIGHT}
    else:
        assert_not_found(reply)
    assert (the_world.attempts(), the_world.tokens()) == (before, tokens)


def test_login_that_needed_no_confirmation_answers_its_own_user_the_same(the_world: World) -> None:
    login = begin(the_world, account=ACCOUNT)
    login.come_back(*pocketful())
    assert the_world.confirm(login.attempt_id, USER).json["account"] == ACCOUNT
    assert_not_found(the_world.confirm(login.attempt_id, "user-2"))


@pytest.mark.parametrize("user_id", [f"pocketful:{ACCOUNT}", ACCOUNT, ""])
def test_direct_login_is_nobodys_to_confirm(the_world: World, user_id: str) -> None:
    login = begin_directly(the_world)
    login.come_back(*pocketful())
    assert_not_found(the_world.confirm(login.attempt_id, user_id))


@pytest.mark.parametrize(
    "attempt", ["", "A" * 43, "short", "A" * 44, "session#" + "A" * 43, "\ud800" * 43, "A" * 42 + "\n"]
)
def test_unknown_attempt_is_404(the_world: World, attempt: str) -> None:
    assert_not_found(the_world.confirm(attempt, USER))


def test_sessions_own_key_is_no_attempt(the_world: World, held: Login) -> None:
    assert_not_found(the_world.confirm(held.row()["session"], USER))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        {},
        {"attempt": "A" * 43},
        {"user_id": USER},
        {"attempt": "A" * 43, "user_id": USER, "account": ACCOUNT},
        {"attempt": "A" * 43, "user_id": None},
        {"attempt": "A" * 43, "user_id": 1},
        {"attempt": ["A" * 43], "user_id": USER},
        {"attempt_id": "A" * 43, "user_id": USER},
        '{"attempt": "a", "user_id": "u", "user_id": "v"}',
    ],
)
def test_any_other_body_is_a_400(the_world: World, held: Login, body: Any) -> None:
    before = held.row()
    text = body if isinstance(body, str) else json.dumps(body)
    reply = the_world.request("POST", "/confirm", body=text.replace("A" * 43, held.attempt_id))
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")
    assert held.row() == before


@pytest.mark.parametrize("fault", [DOWN, CONFLICT])
def test_conflict_or_no_answer_is_503_and_the_login_still_held(the_world: World, held: Login, fault: Exception) -> None:
    before = held.row()
    the_world.faults["TransactWriteItems"] = fault
    reply = the_world.confirm(held.attempt_id, USER)
    assert (reply.status, reply.json["error"]) == (503, "busy")
    assert held.row() == before
    assert the_world.calls.count("TransactWriteItems") > 3
    the_world.faults.clear()
    assert the_world.confirm(held.attempt_id, USER).status == 200


def test_table_that_cannot_be_read_is_503(the_world: World, held: Login) -> None:
    the_world.faults["GetItem"] = DOWN
    assert the_world.confirm(held.attempt_id, USER).status == 503


def told(the_world: World) -> list[tuple[str, ...]]:
    """Give what was logged: message, broker, attempt, and the code of a failure."""
    names = ("message", "broker", "attempt_id", "code")
    return [tuple(line[name] for name in names if name in line) for line in the_world.lines() if "attempt_id" in line]


def test_confirmation_is_logged_once_without_user_and_account(the_world: World, held: Login) -> None:
    before = told(the_world)
    for _ in range(2):
        the_world.confirm(held.attempt_id, USER)
    assert told(the_world) == [*before, ("connected", "pocketful", held.attempt_id)]
    assert ACCOUNT not in the_world.log.getvalue()
    assert USER not in the_world.log.getvalue()


@pytest.mark.parametrize(("after", "user_id", "code"), [(0, "user-2", "account_mismatch"), (600, USER, "expired")])
def test_hold_that_ends_is_logged_once(the_world: World, held: Login, after: int, user_id: str, code: str) -> None:
    the_world.clock.now += after
    before = told(the_world)
    for _ in range(2):
        the_world.confirm(held.attempt_id, user_id)
    assert told(the_world) == [*before, ("failed", "pocketful", held.attempt_id, code)]
    assert ACCOUNT not in the_world.log.getvalue()
    assert USER not in the_world.log.getvalue()


def test_confirmation_that_a_late_callback_forestalls_is_404_and_told_by_that_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with race() as made:
        login = begin(made)
        login.come_back(*pocketful())
        made.rivals["TransactWriteItems"] = lambda: login.rewrite(status="FAILED", error="expired")
        operator = Operator(made, capsys)
        operator.look_away()
        assert_not_found(made.confirm(login.attempt_id, USER))
        assert operator.lines() == []
        assert operator.metrics() == []
        assert made.tokens() == []
