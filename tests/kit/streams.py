"""What a table's stream holds."""

from __future__ import annotations

from typing import Any

from local.aws import Clients


def records_of(clients: Clients, stream: str) -> list[dict[str, Any]]:
    """Give all its records, oldest first."""
    found: list[dict[str, Any]] = []
    for shard in clients.streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
        iterator = clients.streams.get_shard_iterator(
            StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        # An open shard has no end: what is empty twice has been read.
        empty = 0
        while iterator and empty < 2:
            answer = clients.streams.get_records(ShardIterator=iterator)
            found += [dict(record) for record in answer["Records"]]
            empty = 0 if answer["Records"] else empty + 1
            iterator = answer.get("NextShardIterator", "")
    return found
