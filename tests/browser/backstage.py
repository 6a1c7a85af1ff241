"""What goes on behind the pages: at the brokers, in the tables, and among the events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local.simulators.recorder import RecordedRequest
from local.stack import Stack
from tests.browser.brokers import DemoBroker
from tests.browser.watch import grant_of

if TYPE_CHECKING:  # the stubs are for the type checker alone
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Backstage:
    """The local stack, as seen from behind."""

    stack: Stack

    def exchanges(self, callback: str) -> int:
        """Count how often the broker received the grant of a callback URL."""
        grant = grant_of(callback)
        return sum(request["endpoint"] == "token" and grant in request["body"] for request in self.broker_requests())

    def broker_requests(self) -> list[dict[str, Any]]:
        """Give everything that the simulators received."""
        answer = requests.get(f"{self.stack.brokers_url}/simulator/requests", timeout=_SECONDS)
        answer.raise_for_status()
        received: list[dict[str, Any]] = answer.json()
        return received

    def fault(self, broker: DemoBroker, endpoint: str, fault: str) -> None:
        """Let the next request to an endpoint of the broker go wrong."""
        order = {"broker": broker.id, "endpoint": endpoint, "fault": fault}
        requests.post(f"{self.stack.brokers_url}/simulator/faults", json=order, timeout=_SECONDS).raise_for_status()

    @contextmanager
    def exchange_held(self, broker: DemoBroker) -> Iterator[Event]:
        """Hold the broker's token endpoint, which goes on when this is left; the event is set by the grant's arrival.

        None of the simulators' faults is slow and then answers, within the time that we give a broker.
        """
        arrived, go_on = Event(), Event()
        recorder = self.stack.simulators.recorder
        add = recorder.add

        def hold(request: RecordedRequest) -> None:
            add(request)
            if (request.broker, request.endpoint) == (broker.id, "token"):
                arrived.set()
                go_on.wait(_SECONDS)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recorder, "add", hold)
            try:
                yield arrived
            finally:
                go_on.set()

    def event(self, attempt_id: str) -> dict[str, Any]:
        """Wait for the event of a login. Raises TimeoutError."""
        return self.stack.received.wait_for(lambda event: event["id"] == attempt_id)

    def token(self, user_id: str, broker: DemoBroker, account: str) -> "dict[str, AttributeValueTypeDef] | None":
        """Give the row of a token."""
        return self._row("TokensTable", {"user_id": user_id, "connection": f"{broker.id}#{account}"})

    def attempt(self, attempt_id: str) -> "dict[str, AttributeValueTypeDef]":
        """Give the row of an attempt."""
        row = self._row("LoginAttemptsTable", {"attempt_id": attempt_id})
        assert row is not None
        return row

    def _row(self, table: str, key: dict[str, str]) -> "dict[str, AttributeValueTypeDef] | None":
        found = self.stack.clients.dynamodb.get_item(
            TableName=self.stack.deployment.physical_ids[table],
            Key={name: {"S": value} for name, value in key.items()},
            ConsistentRead=True,
        )
        return found.get("Item")
