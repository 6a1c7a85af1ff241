"""A login that a platform prepared: what opening its link reads, and what a login through it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from brokerlink.attempts import digest
from brokerlink.secret import Secret
from brokerlink.sessions import SESSION_SECONDS, Session, Sessions, session_key
from brokerlink.storage import ConditionFailed, Table, Value, from_wire, to_wire
from tests.kit import emulated
from tests.kit.clients import wired
from tests.kit.wire import Wire, resent

NOW = 1_795_404_600
SECRET = Secret("canary-session-secret")
SESSION = Session(
    key=session_key(SECRET),
    broker="pocketful",
    user_id="user-1",
    expires_at=NOW + SESSION_SECONDS,
    expected_account="YA0002",
    return_to="https://app.example.com/done",
)
BARE = replace(SESSION, expected_account=None, return_to=None)


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        emulated.create_tables()
        yield Table(wired("dynamodb")[0], "LoginAttempts")


@pytest.fixture
def wire(table: Table) -> Wire:
    del table
    return wired("dynamodb")[1]


def row(table: Table) -> dict[str, Any]:
    return dict(
        from_wire(table.client.get_item(TableName=table.name, Key=to_wire({"attempt_id": SESSION.key}))["Item"])
    )


def test_key_holds_the_secrets_digest_and_meets_no_state() -> None:
    assert session_key(SECRET) == "session#" + digest("canary-session-secret")


@pytest.mark.parametrize("session", [SESSION, BARE], ids=["whole", "bare"])
def test_an_opened_session_is_read_by_its_secret(table: Table, session: Session) -> None:
    sessions = Sessions(table)
    sessions.open(session)
    assert sessions.read(SECRET) == session
    assert sessions.read(Secret("another")) is None


def test_the_row_is_what_the_contract_says(table: Table) -> None:
    Sessions(table).open(SESSION)
    assert row(table) == {
        "attempt_id": SESSION.key,
        "status": "OPEN",
        "broker": "pocketful",
        "user_id": "user-1",
        "expires_at": NOW + 600,
        "ttl": NOW + 600 + 3600,
        "expected_account": "YA0002",
        "return_to": "https://app.example.com/done",
    }


def test_what_is_absent_is_not_stored(table: Table) -> None:
    Sessions(table).open(Session(key=SESSION.key, broker="pocketful", user_id="user-1", expires_at=SESSION.expires_at))
    assert not {"expected_account", "return_to"} & row(table).keys()


def test_no_row_holds_the_secret(table: Table) -> None:
    Sessions(table).open(SESSION)
    assert "canary" not in str(row(table))


def test_open_survives_the_sdks_repetition_and_never_overwrites(table: Table, wire: Wire) -> None:
    wire.meet("PutItem", resent)
    Sessions(table).open(SESSION)
    with pytest.raises(ConditionFailed):
        Sessions(table).open(replace(SESSION, user_id="user-2"))
    assert row(table)["user_id"] == "user-1"


def test_reads_are_consistent(table: Table, wire: Wire) -> None:
    Sessions(table).read(SECRET)
    assert wire.made("GetItem")[0].json["ConsistentRead"] is True


def test_a_link_preview_spoils_nothing(table: Table) -> None:
    sessions = Sessions(table)
    sessions.open(SESSION)
    before = row(table)
    assert [sessions.read(SECRET) for _ in range(3)] == [SESSION] * 3
    assert row(table) == before


@pytest.mark.parametrize(
    ("session", "broker", "now", "startable"),
    [
        pytest.param(SESSION, "pocketful", NOW, True, id="open"),
        pytest.param(SESSION, "pocketful", SESSION.expires_at - 1, True, id="its last second"),
        pytest.param(SESSION, "pocketful", SESSION.expires_at, False, id="run out, at the second"),
        pytest.param(SESSION, "fivepaisa", NOW, False, id="another broker"),
        pytest.param(replace(SESSION, open=False), "pocketful", NOW, False, id="used"),
    ],
)
def test_a_login_starts_through_an_open_unexpired_session_of_its_broker(
    session: Session, broker: str, now: int, *, startable: bool
) -> None:
    assert session.startable(broker, now) is startable


def test_a_used_session_reads_as_such(table: Table) -> None:
    sessions = Sessions(table)
    sessions.open(SESSION)
    table.client.put_item(TableName=table.name, Item=to_wire(row(table) | {"status": "USED"}))
    assert sessions.read(SECRET) == replace(SESSION, open=False)


def test_what_a_late_commit_leaves_of_a_removed_session_is_no_session(table: Table) -> None:
    # The commit's update has no condition: it creates a row of key, status and ttl where the session's was removed.
    remains: dict[str, Value] = {"attempt_id": SESSION.key, "status": "USED", "ttl": NOW}
    table.client.put_item(TableName=table.name, Item=to_wire(remains))
    assert Sessions(table).read(SECRET) is None
