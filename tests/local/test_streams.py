"""A stream is delivered in order and whole, whatever the function and the emulator do meanwhile."""

import base64
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from local.delivery import Poller
from local.runtime import FunctionError
from local.streams import StreamDelivery
from local.template import Json
from tests.local.miniature_stack import Miniature


class FakeAnnounce:
    """A function that records what it is given and answers as it was told, with success when nothing is left."""

    def __init__(self, *answers: Callable[[list[Json]], object]) -> None:
        self.batches: list[list[str]] = []
        self.records: list[Json] = []
        self._answers = list(answers)

    def __call__(self, event: Json) -> object:
        records = event["Records"]
        self.batches.append([_user(record) for record in records])
        answer = self._answers.pop(0) if self._answers else _success
        response = answer(records)
        self.records += records
        return response


def _user(record: Json) -> str:
    user: str = record["dynamodb"]["Keys"]["user_id"]["S"]
    return user


def _success(records: list[Json]) -> object:
    del records
    return {"batchItemFailures": []}


def _error(records: list[Json]) -> object:
    del records
    raise FunctionError("ValueError", "told to fail")


def _fail(*users: str) -> Callable[[list[Json]], object]:
    return lambda records: {
        "batchItemFailures": [
            {"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in records if _user(record) in users
        ]
    }


def _put(miniature: Miniature, *users: str) -> None:
    for user in users:
        miniature.clients.dynamodb.put_item(
            TableName=miniature.id_of("Tokens"),
            Item={"user_id": {"S": user}, "shard": {"S": "x"}, "expires_at": {"N": "1"}, "secret": {"B": b"\x00\xff"}},
        )


def _delivery(miniature: Miniature, announce: FakeAnnounce) -> StreamDelivery:
    (source,) = miniature.deployment.sources
    return StreamDelivery(source, miniature.clients, announce)


def _delivered_eventually(delivery: StreamDelivery, times: int = 10) -> None:
    assert any(delivery.deliver() for _ in range(times))


def test_records_come_in_order_and_in_batches_of_the_mappings_size(miniature: Miniature) -> None:
    announce = FakeAnnounce()
    _put(miniature, *"abcdefg")
    assert _delivery(miniature, announce).deliver()
    assert announce.batches == [list("abc"), list("def"), ["g"]]


def test_a_record_has_lambdas_shape(miniature: Miniature) -> None:
    announce = FakeAnnounce()
    _put(miniature, "a")
    assert _delivery(miniature, announce).deliver()
    (record,) = announce.records
    assert record["eventSourceARN"] == miniature.deployment.sources[0].arn
    assert (record["eventName"], record["eventSource"], record["awsRegion"]) == ("INSERT", "aws:dynamodb", "ap-south-1")
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], int)
    assert base64.b64decode(record["dynamodb"]["NewImage"]["secret"]["B"]) == b"\x00\xff"


def test_what_the_mapping_filters_out_is_passed_over(miniature: Miniature) -> None:
    announce = FakeAnnounce()
    delivery = _delivery(miniature, announce)
    _put(miniature, "a")
    miniature.clients.dynamodb.delete_item(TableName=miniature.id_of("Tokens"), Key={"user_id": {"S": "a"}})
    _put(miniature, "b")
    assert delivery.deliver()
    assert [record["eventName"] for record in announce.records] == ["INSERT", "INSERT"]
    assert delivery.deliver()
    assert len(announce.records) == 2


def test_after_a_partial_failure_delivery_goes_on_at_the_first_record_that_failed(miniature: Miniature) -> None:
    announce = FakeAnnounce(_fail("b", "c"))
    delivery = _delivery(miniature, announce)
    _put(miniature, *"abcd")
    assert not delivery.deliver()
    assert delivery.deliver()
    assert announce.batches == [list("abc"), list("bcd")]


@pytest.mark.parametrize(
    "response",
    [
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{}]},
        {"batchItemFailures": 5},
        {"other": []},
        "text",
    ],
)
def test_a_response_that_makes_no_sense_fails_the_whole_batch(miniature: Miniature, response: object) -> None:
    announce = FakeAnnounce(lambda _: response)
    delivery = _delivery(miniature, announce)
    _put(miniature, *"ab")
    assert not delivery.deliver()
    _delivered_eventually(delivery)
    assert sorted(user for batch in announce.batches[1:] for user in batch) == ["a", "b"]


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_empty_response_is_success(miniature: Miniature, response: object) -> None:
    announce = FakeAnnounce(lambda _: response)
    _put(miniature, *"ab")
    assert _delivery(miniature, announce).deliver()
    assert announce.batches == [["a", "b"]]


def test_a_function_that_fails_gets_smaller_batches_until_it_succeeds(miniature: Miniature) -> None:
    announce = FakeAnnounce(_error, _error)
    delivery = _delivery(miniature, announce)
    _put(miniature, *"abc")
    assert not delivery.deliver()
    assert not delivery.deliver()
    assert delivery.deliver()
    assert announce.batches[:3] == [list("abc"), ["a"], ["a"]]
    assert [user for batch in announce.batches[2:] for user in batch] == list("abc")


def test_a_record_that_always_fails_is_never_skipped(miniature: Miniature) -> None:
    announce = FakeAnnounce(*[_fail("b")] * 20)
    delivery = _delivery(miniature, announce)
    _put(miniature, *"abc")
    assert not any(delivery.deliver() for _ in range(10))
    assert all(batch[0] == "b" for batch in announce.batches[1:])


def _cancelled_transaction(miniature: Miniature, user: str, *, beside: str = "another") -> None:
    """A transaction that would write `beside` too, if `user` were not there."""
    dynamodb = miniature.clients.dynamodb
    item: dict[str, Any] = {"shard": {"S": "x"}, "expires_at": {"N": "1"}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(
            TransactItems=[
                {
                    "Put": {
                        "TableName": miniature.id_of("Tokens"),
                        "Item": {"user_id": {"S": each}, **item},
                        "ConditionExpression": "attribute_not_exists(user_id)",
                    }
                }
                for each in (user, beside)
            ]
        )


def test_a_cancelled_transaction_does_not_silence_the_stream(miniature: Miniature) -> None:
    announce = FakeAnnounce()
    delivery = _delivery(miniature, announce)
    for user in "abc":
        _put(miniature, user)
        assert delivery.deliver()
        _cancelled_transaction(miniature, user)
        assert delivery.deliver()
    assert announce.batches == [["a"], ["b"], ["c"]]


def test_a_write_that_was_cancelled_between_two_calls_of_the_poller_is_never_delivered(miniature: Miniature) -> None:
    """moto writes it, into a table that it then puts away: an iterator from before still looks at that one."""
    announce = FakeAnnounce()
    delivery = _delivery(miniature, announce)
    cancelled: list[str] = []
    _put(miniature, "a")

    def cancel_once(**_: object) -> None:
        if not cancelled:
            cancelled.append("b")
            _cancelled_transaction(miniature, "a", beside="b")

    miniature.clients.streams.meta.events.register("before-call.dynamodb-streams.GetRecords", cancel_once)
    assert delivery.deliver()
    assert announce.batches == [["a"]]
    # What takes the place that the cancelled write had in the stream is not passed over.
    _put(miniature, "c")
    assert delivery.deliver()
    assert announce.batches == [["a"], ["c"]]
    assert cancelled


def test_the_poller_delivers_at_each_write_and_again_after_a_failure(miniature: Miniature) -> None:
    reached = {user: Event() for user in "ab"}

    def note(records: list[Json]) -> object:
        for record in records:
            reached[_user(record)].set()
        return None

    announce = FakeAnnounce(_error, note, note)
    # Idle for longer than the test waits: only the write itself can wake the poller.
    (source,) = miniature.deployment.sources
    poller = Poller(
        source, _delivery(miniature, announce).deliver, miniature.emulator.changes, lambda _: None, idle=600.0
    )
    for user, event in reached.items():
        _put(miniature, user)
        assert event.wait(20), f"{user} was not delivered"
    miniature.emulator.changes.close()
    poller.join(20)
    assert not poller._thread.is_alive()
    assert announce.batches == [["a"], ["a"], ["b"]]


def test_the_poller_survives_whatever_goes_wrong(miniature: Miniature) -> None:
    told: list[str] = []
    outcomes: list[Exception | bool] = [KeyError("surprise"), True]
    delivered = Event()

    def deliver() -> bool:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        delivered.set()
        return outcome

    (source,) = miniature.deployment.sources
    poller = Poller(source, deliver, miniature.emulator.changes, told.append, idle=600.0)
    assert delivered.wait(20)
    miniature.emulator.changes.close()
    poller.join(20)
    assert told == [f"{source.name} will try again after KeyError: 'surprise'"]
