"""A table's stream as Lambda delivers it: in order, in batches, nothing skipped.

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from local.aws import REGION, Clients
from local.delivery import Invoke, failures
from local.functions import EventSource
from local.template import Json


class StreamDelivery:
    """Delivers the records of one stream to one function; the next call goes on where the last one ended."""

    def __init__(self, source: EventSource, clients: Clients, invoke: Invoke) -> None:
        self._source = source
        self._streams = clients.streams
        self._invoke = invoke
        self._checkpoint = ""
        self._size = source.batch_size

    def deliver(self) -> bool:
        """Deliver all records that are there. False: a record failed, and is where the next call begins."""
        while records := self._next_records():
            failed = self._first_failure([record for record in records if self._source.accepts(record)])
            done = records[: _position(records, failed)] if failed else records
            if done:
                self._checkpoint = _sequence_number(done[-1])
            if failed:
                return False
            self._size = self._source.batch_size
        return True

    def _first_failure(self, records: list[Json]) -> str:
        """Hand the records over; return the sequence number of the first that failed, or nothing."""
        if not records:
            return ""
        numbers = [_sequence_number(record) for record in records]
        failed = failures(self._invoke, records, numbers, reported=self._source.reports_failures)
        if len(failed) == len(records) and self._source.bisects:
            self._size = max(1, len(records) // 2)
        return next((number for number in numbers if number in failed), "")

    def _next_records(self) -> list[Json]:
        # A fresh iterator each time: one that was given out before a transaction was cancelled has expired.
        while True:
            iterator = self._iterator()
            try:
                found = self._streams.get_records(ShardIterator=iterator, Limit=self._size)
            except self._streams.exceptions.ExpiredIteratorException:
                continue
            return [_as_lambda_sees_it(record, self._source.arn) for record in found["Records"]]

    def _iterator(self) -> str:
        if self._checkpoint:
            return self._streams.get_shard_iterator(
                StreamArn=self._source.arn,
                ShardId=self._shard,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                SequenceNumber=self._checkpoint,
            )["ShardIterator"]
        return self._streams.get_shard_iterator(
            StreamArn=self._source.arn, ShardId=self._shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]

    @cached_property
    def _shard(self) -> str:
        # A real stream goes on in another shard after some hours; the engine that `make run` runs for so long has one.
        return self._streams.describe_stream(StreamArn=self._source.arn)["StreamDescription"]["Shards"][0]["ShardId"]


def _sequence_number(record: Json) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _position(records: list[Json], number: str) -> int:
    return [_sequence_number(record) for record in records].index(number)


def _as_lambda_sees_it(record: Mapping[str, Any], stream: str) -> Json:
    return {**_plain(record), "eventSourceARN": stream, "awsRegion": REGION}


def _plain(value: Any) -> Any:  # noqa: ANN401 - what the SDK parsed, as the JSON that Lambda passes on
    match value:
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return int(value.timestamp())
    return value
