"""AWS clients: how often and how long they try, and that none begins a try too late."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from brokerlink.aws import AwsClients, TooLate
from brokerlink.storage import StorageError, Table
from tests.kit.core import Clock
from tests.kit.imports import imported_with
from tests.kit.tables import create_tables
from tests.kit.wire import Wire, down, lost


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clients(clock: Clock) -> Iterator[AwsClients]:
    with mock_aws():
        yield AwsClients(clock)


@pytest.fixture
def immediately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the tests the SDK's pauses between its tries."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


def test_a_call_takes_four_seconds_at_most_and_is_made_three_times(clients: AwsClients) -> None:
    config: Any = clients.client("dynamodb").meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, 3)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}


@pytest.mark.usefixtures("immediately")
def test_the_sdk_gives_up_after_three_tries(clients: AwsClients) -> None:
    dynamodb = clients.client("dynamodb")
    wire = Wire(dynamodb)
    wire.meet_all("GetItem", down)
    with pytest.raises(ReadTimeoutError):
        dynamodb.get_item(TableName="LoginAttempts", Key={"attempt_id": {"S": "a"}})
    assert len(wire.calls) == 3


@pytest.mark.usefixtures("immediately")
def test_a_new_row_whose_answer_was_lost_is_recognised_when_the_sdk_writes_it_again(clients: AwsClients) -> None:
    dynamodb = clients.client("dynamodb")
    create_tables(dynamodb)
    wire = Wire(dynamodb)
    wire.meet("PutItem", lost, lost)
    table = Table(dynamodb, "LoginAttempts")
    table.put_new({"attempt_id": "a", "status": "PENDING"}, "attempt_id")
    assert len(wire.made("PutItem")) == 3
    assert table.get({"attempt_id": "a"}) == {"attempt_id": "a", "status": "PENDING"}


def test_no_try_begins_after_the_last_moment(clients: AwsClients, clock: Clock) -> None:
    dynamodb = clients.client("dynamodb")
    create_tables(dynamodb)
    table = Table(dynamodb, "LoginAttempts")
    clients.no_try_after = clock.now
    assert table.get({"attempt_id": "a"}) is None
    clock.now += 0.001
    with pytest.raises(StorageError, match="GetItem: TooLate"):
        table.get({"attempt_id": "a"})


@pytest.mark.usefixtures("immediately")
def test_a_second_try_does_not_begin_after_the_last_moment_either(clients: AwsClients, clock: Clock) -> None:
    dynamodb = clients.client("dynamodb")
    wire = Wire(dynamodb)

    def hang(*_: object) -> Any:
        clock.now += 4
        raise ReadTimeoutError(endpoint_url="https://dynamodb.ap-south-1.amazonaws.com/")

    wire.meet_all("GetItem", hang)
    clients.no_try_after = clock.now + 3
    with pytest.raises(TooLate):
        dynamodb.get_item(TableName="LoginAttempts", Key={"attempt_id": {"S": "a"}})
    assert len(wire.calls) == 1


def test_each_invocation_has_its_own_last_moment(clients: AwsClients, clock: Clock) -> None:
    dynamodb = clients.client("dynamodb")
    create_tables(dynamodb)
    clients.no_try_after = clock.now - 1
    with pytest.raises(TooLate):
        dynamodb.list_tables()
    clients.no_try_after = clock.now + 25
    assert len(dynamodb.list_tables()["TableNames"]) == 3


def test_without_a_last_moment_all_goes_through(clients: AwsClients) -> None:
    create_tables(clients.client("dynamodb"))


@pytest.mark.usefixtures("clients")
def test_the_sdks_loggers_are_silenced_before_the_first_client() -> None:
    # botocore writes what it sends to and receives from KMS into its debug log.
    assert not logging.getLogger("botocore").propagate


def test_boto3_is_not_loaded_for_it() -> None:
    # botocore alone makes clients; boto3 costs a cold start more.
    assert "boto3" not in imported_with("import brokerlink.aws")
