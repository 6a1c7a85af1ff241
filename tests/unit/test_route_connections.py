"""`GET` and `DELETE /connections/{user_id}…`: what lives is shown, and can be ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.reader import TokenNotFound, TokenReader
from tests.kit.situations import ACCOUNT, USER, begin, begin_directly
from tests.kit.world import MIDNIGHT, World, pocketful, world

DOWN = EndpointConnectionError(endpoint_url="https://dynamodb")


@pytest.fixture
def made() -> Iterator[World]:
    with world() as found:
        yield found


def connect(made: World, user_id: str = USER) -> str:
    session = made.session(broker="pocketful", user_id=user_id, account=ACCOUNT)
    browser = made.browser()
    state = browser.get(str(session.json["start_url"])).query["state"]
    browser.come_back(state, *pocketful())
    return next(str(row["attempt_id"]) for row in made.tokens() if row["user_id"] == user_id)


def test_what_lives_is_listed_without_the_token(made: World) -> None:
    attempt = connect(made)
    connect(made, "user-2")
    assert made.connections(USER).json == {
        "connections": [
            {
                "broker": "pocketful",
                "account": ACCOUNT,
                "attempt_id": attempt,
                "scope": made.tokens()[0]["scope"],
                "issued_at": int(made.clock()),
                "expires_at": MIDNIGHT,
            }
        ]
    }


def test_a_direct_login_is_listed_under_its_account(made: World) -> None:
    begin_directly(made).come_back(*pocketful())
    (listed,) = made.connections(f"pocketful:{ACCOUNT}").json["connections"]
    assert listed["account"] == ACCOUNT


def test_what_is_dead_by_the_clock_is_no_connection(made: World) -> None:
    connect(made)
    made.clock.now += MIDNIGHT - int(made.clock())
    assert made.tokens()
    assert made.connections(USER).json == {"connections": []}
    assert made.revoke(USER, "pocketful", ACCOUNT).status == 404
    assert made.tokens()
    assert made.links() == []


def test_of_nobody_the_list_is_empty(made: World) -> None:
    assert made.connections("nobody").json == {"connections": []}


def test_a_connection_is_ended_at_once_for_readers_that_keep_tokens_too(made: World) -> None:
    attempt = connect(made)
    reader = TokenReader("Tokens", dynamodb=made.dynamodb, kms=made.kms, cache_seconds=300, clock=made.clock)
    assert reader.get(user_id=USER, broker="pocketful", account=ACCOUNT).account == ACCOUNT
    now = int(made.clock())
    assert made.revoke(USER, "pocketful", ACCOUNT).json == {
        "broker": "pocketful",
        "account": ACCOUNT,
        "user_id": USER,
        "attempt_id": attempt,
        "revoked_at": now,
    }
    with pytest.raises(TokenNotFound):
        reader.get(user_id=USER, broker="pocketful", account=ACCOUNT)
    assert made.connections(USER).json == {"connections": []}
    (link,) = made.links()
    assert link.pop("written_by")
    assert link == {
        "user_id": USER,
        "connection": f"pocketful#{ACCOUNT}",
        "broker": "pocketful",
        "account": ACCOUNT,
        "attempt_id": attempt,
        "connected_until": now,
        "ttl": now + 7 * 86_400,
        "notice_id": f"{attempt}.revoked",
        "notice_at": now,
    }


def test_a_second_time_there_is_nothing_to_end(made: World) -> None:
    connect(made)
    assert made.revoke(USER, "pocketful", ACCOUNT).status == 200
    (link,) = made.links()
    assert made.revoke(USER, "pocketful", ACCOUNT).status == 404
    assert made.links() == [link]


def test_another_users_connection_stays(made: World) -> None:
    connect(made)
    for owner in ("user-2", f"pocketful:{ACCOUNT}"):
        assert made.revoke(owner, "pocketful", ACCOUNT).status == 404
    assert len(made.tokens()) == 1


@pytest.mark.parametrize(
    "target",
    [
        "/connections/user+1",
        "/connections/pocketful:",
        "/connections/Pocketful:YA0002",
        f"/connections/{'u' * 129}",
        f"/connections/pocketful:{'a' * 65}",
    ],
)
def test_a_malformed_user_is_refused(made: World, target: str) -> None:
    for method, way in (("GET", target), ("DELETE", f"{target}/pocketful/{ACCOUNT}")):
        reply = made.request(method, way)
        assert (reply.status, reply.json["error"]) == (400, "invalid_request")
        assert reply.json["message"].startswith("user_id ")
    assert made.calls == []


@pytest.mark.parametrize(
    ("target", "named"),
    [("Pocketful/YA0002", "broker"), (f"{'b' * 33}/YA0002", "broker"), ("pocketful/YA+1", "account")],
)
def test_a_malformed_connection_is_refused(made: World, target: str, named: str) -> None:
    reply = made.request("DELETE", f"/connections/{USER}/{target}")
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")
    assert reply.json["message"].startswith(f"{named} ")
    assert made.calls == []


@pytest.mark.parametrize("operation", ["GetItem", "TransactWriteItems"])
def test_without_the_table_nothing_ends_and_the_caller_may_come_again(made: World, operation: str) -> None:
    connect(made)
    made.faults = {operation: DOWN}
    assert made.revoke(USER, "pocketful", ACCOUNT).status == 503
    made.faults = {}
    assert len(made.tokens()) == 1
    assert made.revoke(USER, "pocketful", ACCOUNT).status == 200


def test_each_ended_connection_is_logged_without_whose_it_was(made: World, capsys: pytest.CaptureFixture[str]) -> None:
    attempt = connect(made)
    made.revoke(USER, "pocketful", ACCOUNT)
    line = next(line for line in made.lines() if line["message"] == "revoked")
    assert line["attempt_id"] == attempt
    assert '"revoked"' in capsys.readouterr().out
    assert ACCOUNT not in made.log.getvalue()


def test_a_login_after_it_is_a_new_connection(made: World) -> None:
    connect(made)
    made.revoke(USER, "pocketful", ACCOUNT)
    login = begin(made, account=ACCOUNT)
    login.come_back(*pocketful())
    (listed,) = made.connections(USER).json["connections"]
    assert listed["attempt_id"] == login.attempt_id
