"""The stream of the Tokens table, as the announce function reads it."""

from __future__ import annotations

import time
from contextlib import nullcontext

import pytest
from botocore.exceptions import ClientError

from brokerlink.events import is_issue
from brokerlink.storage import names_in, to_wire
from tests.engines.tables import ACCOUNT, BROKER, Tables, new_image, record_of, soon

# What DynamoDB refuses and an engine does.
ACCEPTS_A_RESERVED_WORD = {"moto"}


def commit(tables: Tables, issued_at_ms: int) -> str:
    attempt = tables.claimed(user_id="asha")
    record = record_of(attempt, issued_at_ms=issued_at_ms)
    done = tables.commits.commit(attempt, record, token=attempt.claimed_by or "", now=int(time.time()), deadline=soon())
    assert done.done
    return attempt.attempt_id


def test_every_token_that_was_stored_is_in_it_once_and_in_order(tables: Tables) -> None:
    now = int(time.time() * 1000)
    stored = [commit(tables, now + n) for n in range(5)]
    late = commit(tables, now - 1)  # stored no token: a newer one was there
    records = tables.issues()
    assert [record["eventName"] for record in records] == ["INSERT"] + ["MODIFY"] * 4
    assert [new_image(record)["attempt_id"] for record in records] == stored
    assert late not in stored
    assert all(is_issue(record) for record in records)
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    assert numbers == sorted(set(numbers))


def test_other_changes_and_removals_issue_nothing(tables: Tables) -> None:
    commit(tables, int(time.time() * 1000))
    dynamodb, table = tables.clients.dynamodb, tables.tokens_table.name
    key = {"user_id": {"S": "asha"}, "connection": {"S": f"{BROKER}#{ACCOUNT}"}}
    values = {":scope": {"S": "orders"}}
    update = "SET #scope = :scope"
    names = {"#scope": "scope"}
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression=update,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )
    dynamodb.delete_item(TableName=table, Key=key)
    records = tables.issues()
    assert [(record["eventName"], is_issue(record)) for record in records] == [
        ("INSERT", True),
        ("MODIFY", False),
        ("REMOVE", False),
    ]
    assert {"NewImage", "OldImage"} <= records[1]["dynamodb"].keys()


def test_live_tokens_of_a_broker_are_paged_by_the_index(tables: Tables) -> None:
    attempt_id = commit(tables, int(time.time() * 1000))
    assert page(tables, "#shard = :shard AND expires_at > :now") == [attempt_id]


def test_the_indexs_key_is_a_reserved_word(engine: str, tables: Tables) -> None:
    commit(tables, int(time.time() * 1000))
    with nullcontext() if engine in ACCEPTS_A_RESERVED_WORD else pytest.raises(ClientError, match="reserved"):
        page(tables, "shard = :shard AND #expires_at > :now")


def page(tables: Tables, condition: str) -> list[str]:
    token = tables.token("asha")
    assert token is not None
    found = tables.clients.dynamodb.query(
        TableName=tables.tokens_table.name,
        IndexName="by_broker",
        KeyConditionExpression=condition,
        ExpressionAttributeNames=names_in(condition),
        ExpressionAttributeValues=to_wire({":shard": token["shard"], ":now": int(time.time())}),
    )["Items"]
    return [item["attempt_id"]["S"] for item in found]
