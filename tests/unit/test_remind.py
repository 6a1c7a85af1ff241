"""Warnings and reminders: whose turn it is by the run's own time, each told once, whatever is repeated or fails."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger
from moto import mock_aws

from brokerlink.aws import AwsClients
from brokerlink.errors import SettingError
from brokerlink.expiry import IST
from brokerlink.storage import Value, to_wire
from brokerlink.telemetry import Telemetry
from brokerlink.tokens import TokenRecord
from remind_app import make_app
from rounds import Unfinished
from tests.kit import emulated
from tests.kit.clients import client, wired
from tests.kit.emulated import rows
from tests.kit.wire import after, down
from tests.kit.world import Clock

LOGIN_URL = "https://trade.example/brokers/{broker}?user={user_id}"
# Powertools keeps a logger, with its stream, for each service name.
_NUMBERS = itertools.count()
START_URL = "https://login.example.com/"


def at(day: int, clock: str) -> int:
    """Give an epoch second of November 2026 by an Indian clock; the 23rd is a Monday."""
    hours, minutes = map(int, clock.split(":"))
    return int(datetime(2026, 11, day, hours, minutes, tzinfo=IST).timestamp())


MIDNIGHT = at(24, "00:00")


class Context:
    """What is used of Lambda's."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class _Clients:
    """The function's AWS clients: DynamoDB's, behind a wire that can fail."""

    def __init__(self) -> None:
        self._dynamodb, self.wire = wired("dynamodb")
        self.no_try_after = 0.0

    def client(self, _: str) -> object:
        return self._dynamodb


class Stage:
    """The function on moto, at a time that the test chooses."""

    def __init__(self, **environment: str) -> None:
        emulated.create_tables()
        self.log = io.StringIO()
        self.clock = Clock()
        self.clock.now = at(23, "23:00")
        aws = _Clients()
        self.wire = aws.wire
        settings = {
            "BROKERLINK_TOKENS_TABLE": "Tokens",
            "BROKERLINK_LINKS_TABLE": "Links",
            "BROKERLINK_BROKER_APPS": '{"pocketful": {}}',
            "BROKERLINK_LOGIN_URL": LOGIN_URL,
            "BROKERLINK_START_URL": START_URL,
        }
        telemetry = Telemetry(Logger(service=f"remind-{next(_NUMBERS)}", stream=self.log))
        self.app = make_app(
            settings | environment, telemetry, cast("AwsClients", aws), clock=self.clock, monotonic=self.clock
        )

    def connect(self, user_id: str = "user-1", attempt: str = "first", **other: Any) -> None:
        values: dict[str, Any] = {
            "user_id": user_id,
            "broker": "pocketful",
            "account": "YA0002",
            "ciphertext": b"canary",
            "scope": "",
            "token_type": "bearer",
            "attempt_id": attempt,
            "issued_at_ms": self.clock.now * 1000,
            "expires_at": MIDNIGHT,
        }
        item = TokenRecord(**(values | other)).to_item()
        client("dynamodb").put_item(TableName="Tokens", Item=to_wire(item))

    def run(self, run: str, day: int, clock: str) -> None:
        """Make a run that was scheduled then, at once."""
        self.clock.now = at(day, clock)
        time = datetime.fromtimestamp(self.clock.now).astimezone().isoformat()
        self.app({"run": run, "time": time}, Context())

    def told(self) -> list[str]:
        return sorted(str(row["notice_id"]) for row in rows("Links") if "notice_id" in row)

    def row(self) -> dict[str, Any]:
        (only,) = rows("Links")
        return only


@pytest.fixture
def stage() -> Iterator[Stage]:
    """One that warns."""
    with mock_aws():
        yield Stage(BROKERLINK_EXPIRING_MINUTES="60")


@pytest.fixture
def morning() -> Iterator[Stage]:
    """One that reminds."""
    with mock_aws():
        yield Stage(BROKERLINK_REMINDERS="true")


# warnings


def test_a_token_is_warned_of_an_hour_before_its_end(stage: Stage) -> None:
    stage.connect()
    stage.run("ending", 23, "23:00")
    assert stage.row() == {
        "user_id": "user-1",
        "connection": "pocketful#YA0002",
        "broker": "pocketful",
        "account": "YA0002",
        "attempt_id": "first",
        "connected_until": MIDNIGHT,
        "ttl": MIDNIGHT + 7 * 86_400,
        "notice_id": "first.expiring",
        "notice_at": at(23, "23:00"),
    }


@pytest.mark.parametrize(
    ("ends", "warned"),
    [
        (MIDNIGHT, True),
        (MIDNIGHT - 899, True),
        (MIDNIGHT - 900, False),
        (MIDNIGHT + 1, False),
    ],
)
def test_each_run_looks_at_a_quarter_of_an_hour(stage: Stage, ends: int, warned: bool) -> None:  # noqa: FBT001 - a column
    stage.connect(expires_at=ends)
    stage.run("ending", 23, "23:00")
    assert bool(stage.told()) is warned


def test_the_runs_of_a_day_leave_nobody_out_and_tell_nobody_twice(stage: Stage) -> None:
    minutes = range(1, 46, 4)
    for minute in minutes:
        stage.connect(f"user-{minute}", f"attempt-{minute}", expires_at=at(23, "20:00") + minute * 60)
    for clock in ("19:00", "19:15", "19:30", "19:45"):
        stage.run("ending", 23, clock)
    assert stage.told() == sorted(f"attempt-{minute}.expiring" for minute in minutes)
    assert len(stage.wire.made("UpdateItem")) == len(minutes)


def test_a_run_that_is_made_again_tells_nothing_again(stage: Stage) -> None:
    stage.connect()
    stage.run("ending", 23, "23:00")
    first = stage.row()
    stage.clock.now += 300
    stage.app({"run": "ending", "time": "2026-11-23T17:30:00Z"}, Context())
    assert stage.row() == first


def test_a_run_that_comes_late_goes_by_when_it_was_scheduled(stage: Stage) -> None:
    stage.connect()
    stage.clock.now = at(23, "23:20")
    stage.app({"run": "ending", "time": "2026-11-23T17:30:40Z"}, Context())
    assert stage.told() == ["first.expiring"]


def test_of_a_token_that_has_ended_there_is_no_warning(stage: Stage) -> None:
    stage.connect()
    stage.clock.now = MIDNIGHT
    stage.app({"run": "ending", "time": "2026-11-23T17:30:00Z"}, Context())
    assert stage.told() == []
    assert stage.row()["attempt_id"] == "first"


def test_every_broker_and_every_shard_is_looked_at() -> None:
    with mock_aws():
        stage = Stage(
            BROKERLINK_EXPIRING_MINUTES="60", BROKERLINK_BROKER_APPS='{"pocketful": {}, "fivepaisa": {"off": true}}'
        )
        stage.connect()
        stage.connect(attempt="second", broker="fivepaisa", account="50052770")
        stage.run("ending", 23, "23:00")
        assert stage.told() == ["first.expiring", "second.expiring"]
        asked = {call.json["ExpressionAttributeValues"][":shard"]["S"] for call in stage.wire.made("Query")}
        assert asked == {f"{broker}#{number:02x}" for broker in ("pocketful", "fivepaisa") for number in range(32)}


def test_a_token_whose_connection_was_ended_is_not_warned_of(stage: Stage) -> None:
    stage.connect()
    revoked: dict[str, Value] = {
        "user_id": "user-1",
        "connection": "pocketful#YA0002",
        "attempt_id": "first",
        "connected_until": at(23, "22:59"),
        "notice_id": "first.revoked",
    }
    client("dynamodb").put_item(TableName="Links", Item=to_wire(revoked))
    # The index may still show it.
    stage.run("ending", 23, "23:00")
    assert stage.told() == ["first.revoked"]


def test_a_later_login_is_warned_of_in_its_own_name(stage: Stage) -> None:
    stage.connect()
    stage.run("ending", 23, "23:00")
    stage.connect(attempt="second")
    stage.clock.now += 60
    stage.app({"run": "ending", "time": "2026-11-23T17:30:00Z"}, Context())
    assert stage.told() == ["second.expiring"]


def test_an_old_page_of_the_index_does_not_take_a_later_login_back(stage: Stage) -> None:
    stage.connect()

    def log_in_again() -> None:
        later = {"user_id": "user-1", "connection": "pocketful#YA0002", "attempt_id": "second"}
        item = to_wire(later | {"connected_until": MIDNIGHT + 86_400, "notice_id": "second.expiring"})
        client("dynamodb").put_item(TableName="Links", Item=item)

    stage.wire.meet("UpdateItem", after(log_in_again))
    stage.run("ending", 23, "23:00")
    assert stage.told() == ["second.expiring"]


def test_the_ciphertext_is_never_asked_for(stage: Stage) -> None:
    stage.connect()
    stage.run("ending", 23, "23:00")
    stage.run("reminder", 24, "00:10")
    asked = [call.json for call in stage.wire.made("Query")]
    assert asked
    assert all("ciphertext" not in call["ExpressionAttributeNames"].values() for call in asked)
    assert all("ProjectionExpression" in call for call in asked)
    assert "canary" not in str(rows("Links")) + stage.log.getvalue()


# reminders


def connected_the_day_before(stage: Stage, **token: Any) -> None:
    """Let somebody be connected until midnight, and the links of that night be noted."""
    stage.connect(**token)
    stage.run("ending", 23, "23:45")
    client("dynamodb").delete_item(
        TableName="Tokens",
        Key=to_wire({"user_id": str(token.get("user_id", "user-1")), "connection": "pocketful#YA0002"}),
    )


def test_who_was_connected_the_day_before_is_reminded(morning: Stage) -> None:
    connected_the_day_before(morning)
    morning.run("reminder", 24, "08:30")
    row = morning.row()
    assert (row["notice_id"], row["notice_at"]) == ("first.reminder", at(24, "08:30"))
    assert row["login_url"] == "https://trade.example/brokers/pocketful?user=user-1"


def test_a_direct_login_is_sent_to_our_own_page(morning: Stage) -> None:
    connected_the_day_before(morning, user_id="pocketful:YA0002")
    morning.run("reminder", 24, "08:30")
    assert morning.row()["login_url"] == "https://login.example.com/authorize/pocketful"


def test_a_platform_without_a_page_has_no_link() -> None:
    with mock_aws():
        stage = Stage(BROKERLINK_LOGIN_URL="", BROKERLINK_REMINDERS="true")
        connected_the_day_before(stage)
        stage.run("reminder", 24, "08:30")
        assert stage.told() == ["first.reminder"]
        assert "login_url" not in stage.row()


def test_who_is_connected_again_is_left_alone(morning: Stage) -> None:
    connected_the_day_before(morning)
    morning.connect(attempt="second", expires_at=MIDNIGHT + 86_400)
    morning.run("reminder", 24, "08:30")
    assert morning.told() == []


def test_a_dead_row_that_ttl_has_not_removed_is_no_connection(morning: Stage) -> None:
    morning.connect()
    morning.run("ending", 23, "23:45")
    morning.run("reminder", 24, "08:30")
    assert morning.told() == ["first.reminder"]
    assert rows("Tokens")


def test_whose_connection_was_ended_is_not_reminded(morning: Stage) -> None:
    revoked: dict[str, Value] = {
        "user_id": "user-1",
        "connection": "pocketful#YA0002",
        "broker": "pocketful",
        "account": "YA0002",
        "attempt_id": "first",
        "connected_until": at(23, "22:00"),
        "notice_id": "first.revoked",
    }
    client("dynamodb").put_item(TableName="Links", Item=to_wire(revoked))
    morning.run("reminder", 24, "08:30")
    assert morning.told() == ["first.revoked"]


def test_nobody_is_reminded_twice_of_one_login(morning: Stage) -> None:
    connected_the_day_before(morning)
    morning.run("reminder", 24, "08:30")
    first = morning.row()
    for clock in ("08:30", "08:31"):
        morning.run("reminder", 24, clock)
    morning.run("reminder", 25, "08:30")
    assert morning.row() == first


@pytest.mark.parametrize(
    ("day", "reminded"),
    [(27, True), (26, True), (28, False), (30, False)],
    ids=["Friday, of Thursday", "Thursday, of Wednesday", "Saturday's run, of long ago", "Monday, of long ago"],
)
def test_the_day_before_is_a_day_before(morning: Stage, day: int, reminded: bool) -> None:  # noqa: FBT001 - a column
    ended = at(day if reminded else 26, "00:00")
    morning.connect(expires_at=ended)
    morning.run("ending", day - 1 if reminded else 25, "23:45")
    morning.run("reminder", day, "08:30")
    assert bool(morning.told()) is reminded


def test_on_monday_friday_is_the_day_before(morning: Stage) -> None:
    saturday = at(28, "00:00")
    morning.connect(expires_at=saturday)
    morning.run("ending", 27, "23:45")
    morning.run("reminder", 30, "08:30")
    assert morning.told() == ["first.reminder"]


# what is switched on


def test_with_both_a_link_is_warned_of_and_then_reminded() -> None:
    with mock_aws():
        stage = Stage(BROKERLINK_EXPIRING_MINUTES="15", BROKERLINK_REMINDERS="true")
        connected_the_day_before(stage)
        assert stage.told() == ["first.expiring"]
        stage.run("reminder", 24, "08:30")
        assert stage.told() == ["first.reminder"]


def test_without_either_nothing_is_written() -> None:
    with mock_aws():
        stage = Stage()
        stage.connect()
        stage.run("ending", 23, "23:00")
        assert rows("Links") == []
        assert stage.wire.calls == []


def test_an_earlier_notice_does_not_hide_the_next_logins(morning: Stage) -> None:
    """A row's attributes are of one login: what was told of the one before is gone from it."""
    connected_the_day_before(morning)
    morning.run("reminder", 24, "08:30")
    morning.connect(attempt="second", expires_at=MIDNIGHT + 86_400)
    morning.run("ending", 24, "23:45")
    row = morning.row()
    assert row["attempt_id"] == "second"
    assert not row.keys() & {"notice_id", "notice_at", "login_url"}


def test_a_link_that_was_noted_already_is_warned_of(stage: Stage) -> None:
    stage.connect()
    noted: dict[str, Value] = {
        "user_id": "user-1",
        "connection": "pocketful#YA0002",
        "attempt_id": "first",
        "connected_until": MIDNIGHT,
    }
    client("dynamodb").put_item(TableName="Links", Item=to_wire(noted))
    stage.run("ending", 23, "23:00")
    assert stage.told() == ["first.expiring"]


@pytest.mark.parametrize("event", [{}, {"run": "ending"}, {"run": "x", "time": "2026-11-23T17:30:00Z"}])
def test_what_is_no_run_of_ours_does_nothing(stage: Stage, event: dict[str, str]) -> None:
    stage.connect()
    with pytest.raises((KeyError, ValueError)):
        stage.app(event, Context())
    assert rows("Links") == []


def test_minutes_that_are_none_are_refused() -> None:
    with mock_aws(), pytest.raises(SettingError, match="ExpiringMinutes"):
        Stage(BROKERLINK_EXPIRING_MINUTES="an hour")


# trouble


@pytest.mark.parametrize("operation", ["Query", "UpdateItem"])
def test_a_part_that_fails_holds_up_no_other_and_the_run_is_made_again(stage: Stage, operation: str) -> None:
    users = [f"user-{number}" for number in range(12)]
    for user in users:
        stage.connect(user, user)
    stage.wire.meet(operation, *[down] * 2)
    with pytest.raises(Unfinished, match=r"^2 parts "):
        stage.run("ending", 23, "23:00")
    assert '"unfinished"' in stage.log.getvalue()
    assert len(stage.told()) >= len(users) // 2
    stage.run("ending", 23, "23:00")
    assert stage.told() == sorted(f"{user}.expiring" for user in users)


def test_a_reminder_that_fails_is_made_good(morning: Stage) -> None:
    connected_the_day_before(morning)
    morning.wire.meet_all("Scan", down)
    with pytest.raises(Unfinished):
        morning.run("reminder", 24, "08:30")
    assert morning.told() == []
    morning.wire.mend()
    morning.run("reminder", 24, "08:30")
    assert morning.told() == ["first.reminder"]


def test_what_was_told_is_counted_by_broker(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        stage.connect(f"user-{number}", f"attempt-{number}")
    stage.run("ending", 23, "23:00")
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"expiring"' in line]
    assert {line["broker"]: line["expiring"] for line in counted} == {"pocketful": [3.0]}
