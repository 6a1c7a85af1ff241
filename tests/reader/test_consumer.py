"""A consumer's handler: each login once, a bad message alone, and nothing of a token where events are remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from brokerlink.consumer import Handler, cloud_event, on_login
from brokerlink.reader import BrokerToken, TokenError, TokenExpired, TokenNotFound
from tests.kit.clients import client
from tests.kit.shelf import ATTEMPT, ENDS, ISSUED, OTHER_ATTEMPT, Shelf, event
from tests.kit.wire import refused

LATER = event() | {"id": OTHER_ATTEMPT, "data": event()["data"] | {"issued_at": ISSUED + 60}}


class Consumer:
    """A handler, what it acted on, and what it was told of those without a token."""

    def __init__(self, shelf: Shelf, act: Callable[[BrokerToken], object] | None = None) -> None:
        client("dynamodb").create_table(
            TableName="processed",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.acted: list[str] = []
        self.without: list[TokenError] = []

        @on_login(reader=shelf.reader, processed="processed", no_token=self.without.append)
        def handler(token: BrokerToken) -> object:
            if act is not None:
                act(token)
            self.acted.append(token.attempt_id)
            return token

        self.handler: Handler = handler

    def receive(self, *messages: object) -> list[str]:
        """Take one batch; give which of its messages are to come again, by their place."""
        records = [
            {
                "messageId": str(place),
                "body": message if isinstance(message, str) else json.dumps(message),
                "eventSource": "aws:sqs",
            }
            for place, message in enumerate(messages)
        ]
        context: Any = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)
        answer = self.handler({"Records": records}, context)
        return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def test_a_login_is_acted_on(shelf: Shelf) -> None:
    shelf.put()
    consumer = Consumer(shelf)
    assert consumer.receive(event()) == []
    assert consumer.acted == [ATTEMPT]


def test_an_event_that_comes_again_is_not(shelf: Shelf) -> None:
    shelf.put()
    consumer = Consumer(shelf)
    assert consumer.receive(event(), event()) == []
    assert consumer.receive(event()) == []
    assert consumer.acted == [ATTEMPT]


def test_an_event_in_the_envelope_of_sns(shelf: Shelf) -> None:
    shelf.put()
    consumer = Consumer(shelf)
    envelope = {"Type": "Notification", "MessageId": "m", "Message": json.dumps(event())}
    assert consumer.receive(envelope, event()) == []
    assert consumer.acted == [ATTEMPT]


@pytest.mark.parametrize("messages", [(event(), LATER), (LATER, event())], ids=["in order", "out of order"])
def test_a_login_that_another_has_replaced_is_left_to_that_ones_event(shelf: Shelf, messages: tuple[object]) -> None:
    shelf.put(attempt_id=OTHER_ATTEMPT, issued_at_ms=(ISSUED + 60) * 1000)
    consumer = Consumer(shelf)
    assert consumer.receive(*messages) == []
    assert consumer.acted == [OTHER_ATTEMPT]
    assert not consumer.without


@pytest.mark.parametrize("gone", [TokenExpired, TokenNotFound])
def test_a_token_that_is_gone_is_told_and_not_tried_again(shelf: Shelf, gone: type[TokenError]) -> None:
    if gone is TokenExpired:
        shelf.put()
        shelf.clock.now = ENDS
    consumer = Consumer(shelf)
    for _ in range(2):
        assert consumer.receive(event()) == []
    assert [type(error) for error in consumer.without] == [gone]
    assert not consumer.acted


def test_a_passing_failure_makes_the_message_come_again_and_then_it_is_acted_on(shelf: Shelf) -> None:
    shelf.put()
    shelf.kms_wire.meet("Decrypt", refused("ThrottlingException"))
    consumer = Consumer(shelf)
    assert consumer.receive(event()) == ["0"]
    assert consumer.receive(event()) == []
    assert consumer.acted == [ATTEMPT]


def test_a_function_that_fails_gets_the_login_again(shelf: Shelf) -> None:
    shelf.put()
    crashes = [RuntimeError("the exchange is closed")]

    def act(_: BrokerToken) -> None:
        if crashes:
            raise crashes.pop()

    consumer = Consumer(shelf, act)
    assert consumer.receive(event()) == ["0"]
    assert consumer.receive(event()) == []
    assert consumer.acted == [ATTEMPT]


def test_a_token_that_cannot_be_opened_goes_to_the_dead_letters(shelf: Shelf) -> None:
    stolen = shelf.put().ciphertext
    shelf.put(user_id="user-2", ciphertext=stolen)
    consumer = Consumer(shelf)
    bad = event(user_id="user-2") | {"id": ATTEMPT}
    assert consumer.receive(bad) == ["0"]
    assert not consumer.without


POISON: list[object] = [
    "no json",
    "",
    "[]",
    "null",
    "[" * 5_000,
    {},
    {"type": "brokerlink.token.issued.v1"},
    {"id": "x"},
    {"id": "", "type": "brokerlink.token.issued.v1"},
    {"id": 7, "type": "brokerlink.token.issued.v1"},
    {"id": "x", "type": "brokerlink.token.issued.v1", "data": []},
    {"Type": "Notification"},
    {"Type": "Notification", "Message": "no json"},
    {"Type": "Notification", "Message": {"id": "x", "type": "y"}},
]


def test_poison_fails_alone(shelf: Shelf) -> None:
    shelf.put()
    consumer = Consumer(shelf)
    assert consumer.receive(*POISON, event()) == [str(place) for place in range(len(POISON))]
    assert consumer.acted == [ATTEMPT]


@pytest.mark.parametrize(
    "text", ["canary", '{"canary": ', '["canary"]', '{"id": "canary"}', '{"id": 7, "type": "canary"}']
)
def test_what_is_no_event_is_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^this is not a brokerlink event$") as raised:
        cloud_event(text)
    assert raised.value.__context__ is None


def test_other_events_are_left_out(shelf: Shelf) -> None:
    shelf.put()
    consumer = Consumer(shelf)
    assert consumer.receive(event() | {"type": "brokerlink.token.expiring.v1"}) == []
    assert consumer.acted == []
    assert consumer.receive(event()) == []
    assert consumer.acted == [ATTEMPT]


def test_nothing_of_a_token_is_remembered(shelf: Shelf) -> None:
    shelf.put()
    consumer = Consumer(shelf)
    consumer.receive(event())
    (row,) = client("dynamodb").scan(TableName="processed")["Items"]
    assert "canary" not in str(row)
    assert "expiration" in row


def test_two_functions_that_share_a_table_both_hear_of_it(shelf: Shelf) -> None:
    shelf.put()
    consumer = Consumer(shelf)
    heard: list[str] = []

    @on_login(reader=shelf.reader, processed="processed")
    def another(token: BrokerToken) -> None:
        heard.append(token.attempt_id)

    consumer.receive(event())
    consumer.handler = another
    consumer.receive(event())
    assert consumer.acted == heard == [ATTEMPT]


@pytest.mark.usefixtures("shelf")
def test_the_tables_are_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKERLINK_TOKENS_TABLE", "Tokens")
    monkeypatch.delenv("PROCESSED_EVENTS_TABLE", raising=False)
    with pytest.raises(ValueError, match="PROCESSED_EVENTS_TABLE"):
        on_login(print)
    monkeypatch.setenv("PROCESSED_EVENTS_TABLE", "processed")
    assert callable(on_login(print))
