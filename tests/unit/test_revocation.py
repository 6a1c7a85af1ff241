"""A connection's end where answers are lost and logins come in between; and many connections of one user."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from moto import mock_aws

from brokerlink.links import Link, Links
from brokerlink.revocation import Connections
from brokerlink.storage import StorageError, Table, to_wire
from brokerlink.tokens import TokenRecord
from tests.kit import emulated
from tests.kit.clients import client, wired
from tests.kit.core import Clock
from tests.kit.emulated import rows
from tests.kit.wire import after, cancelled, down, lost, refused, resent

NOW = 1_795_400_000


def token(attempt_id: str = "first", account: str = "YA0002", *, expires_at: int = NOW + 60) -> TokenRecord:
    return TokenRecord(
        user_id="user-1",
        broker="pocketful",
        account=account,
        ciphertext=b"sealed",
        scope="orders",
        token_type="bearer",
        attempt_id=attempt_id,
        issued_at_ms=NOW * 1000,
        expires_at=expires_at,
    )


class Stage:
    """One user's connections, behind a wire that can fail."""

    def __init__(self) -> None:
        dynamodb, self.wire = wired("dynamodb")
        emulated.create_tables()
        self.clock = Clock()
        self.clock.now = NOW
        names = (f"name-{number}" for number in itertools.count())
        self.connections = Connections(
            tokens=Table(dynamodb, "Tokens"),
            links=Links(Table(dynamodb, "Links")),
            clock=self.clock,
            monotonic=self.clock,
            sleep=self.clock.sleep,
            new_name=lambda: next(names),
        )

    def store(self, record: TokenRecord) -> None:
        client("dynamodb").put_item(TableName="Tokens", Item=to_wire(record.to_item()))

    def revoke(self) -> Link | None:
        return self.connections.revoke("user-1", "pocketful", "YA0002", deadline=self.clock() + 25)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with mock_aws():
        made = Stage()
        made.store(token())
        yield made


@pytest.mark.parametrize("remembers_tokens", [True, False], ids=["by the token", "by its own name"])
@pytest.mark.parametrize("fault", [lost, resent], ids=["lost", "sent twice"])
def test_who_lost_the_answer_knows_its_own_work(stage: Stage, fault: object, remembers_tokens: bool) -> None:  # noqa: FBT001 - a column
    stage.wire.remembers_tokens = remembers_tokens
    stage.wire.meet("TransactWriteItems", fault)  # type: ignore[arg-type]  # a column holds objects
    ended = stage.revoke()
    assert ended is not None
    assert ended.attempt_id == "first"
    assert rows("Tokens") == []
    assert [row["notice_id"] for row in rows("Links")] == ["first.revoked"]


def test_a_login_that_commits_meanwhile_is_ended_too(stage: Stage) -> None:
    stage.wire.meet("TransactWriteItems", after(lambda: stage.store(token("second"))))
    ended = stage.revoke()
    assert ended is not None
    assert ended.attempt_id == "second"
    assert rows("Tokens") == []
    assert [row["notice_id"] for row in rows("Links")] == ["second.revoked"]
    assert len(stage.wire.made("TransactWriteItems")) == 2


def test_of_two_who_end_it_one_has_ended_it(stage: Stage) -> None:
    rival: list[Link | None] = []
    stage.wire.meet("TransactWriteItems", after(lambda: rival.append(stage.revoke())))
    assert stage.revoke() is None
    assert [each.attempt_id for each in rival if each is not None] == ["first"]
    assert len(rows("Links")) == 1


def test_a_transaction_in_the_way_is_waited_for(stage: Stage) -> None:
    stage.wire.meet("TransactWriteItems", cancelled("TransactionConflict", "None"))
    assert stage.revoke() is not None
    assert stage.clock.slept


def test_without_an_answer_by_the_deadline_it_is_said_so(stage: Stage) -> None:
    stage.wire.meet_all("TransactWriteItems", down)
    with pytest.raises(StorageError):
        stage.revoke()
    assert len(rows("Tokens")) == 1
    assert rows("Links") == []


def test_what_will_always_be_refused_is_tried_once(stage: Stage) -> None:
    stage.wire.meet_all("TransactWriteItems", refused("AccessDeniedException"))
    with pytest.raises(StorageError):
        stage.revoke()
    assert len(stage.wire.made("TransactWriteItems")) == 1


def test_a_row_that_callback_has_not_written_is_no_connection(stage: Stage) -> None:
    broken = {name: value for name, value in token().to_item().items() if name != "attempt_id"}
    client("dynamodb").put_item(TableName="Tokens", Item=to_wire(broken))
    assert stage.revoke() is None
    assert list(stage.connections.of_user("user-1")) == []


def test_all_pages_are_read_and_the_ciphertext_is_not(stage: Stage) -> None:
    # Each row as large as a row can be, so that they do not fit on a page of 1 MB.
    for number in range(4):
        item = to_wire(token(f"attempt-{number}", f"A{number}").to_item() | {"padding": "x" * 350_000})
        client("dynamodb").put_item(TableName="Tokens", Item=item)
    stage.store(token("dead", "DEAD", expires_at=NOW))
    found = [each.account for each in stage.connections.of_user("user-1")]
    assert found == ["A0", "A1", "A2", "A3", "YA0002"]
    asked = [call.json for call in stage.wire.made("Query")]
    assert len(asked) > 1
    assert all("ciphertext" not in call["ExpressionAttributeNames"].values() for call in asked)
    assert all(call["ConsistentRead"] for call in asked)


def test_an_answer_that_is_none_is_no_empty_list(stage: Stage) -> None:
    stage.wire.meet_all("Query", down)
    with pytest.raises(StorageError):
        list(stage.connections.of_user("user-1"))
