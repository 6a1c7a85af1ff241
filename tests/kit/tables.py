"""The tables, as the template makes them."""

from __future__ import annotations

from typing import Any


def _key_schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def _table(name: str, keys: tuple[str, ...], indexes: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    attributes = {key for each in (keys, *indexes.values()) for key in each}
    more = {
        "GlobalSecondaryIndexes": [
            {"IndexName": index, "KeySchema": _key_schema(key), "Projection": {"ProjectionType": "ALL"}}
            for index, key in indexes.items()
        ]
    }
    return {
        "TableName": name,
        "KeySchema": _key_schema(keys),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "N" if name == "expires_at" else "S"} for name in attributes
        ],
        "BillingMode": "PAY_PER_REQUEST",
        **(more if indexes else {}),
    }


# With the keys that the template gives them, and the index of live tokens.
TABLES = (
    _table("LoginAttempts", ("attempt_id",), {}),
    _table("Tokens", ("user_id", "connection"), {"by_broker": ("shard", "expires_at")}),
    _table("Links", ("user_id", "connection"), {}),
)


def create_tables(dynamodb: Any) -> None:
    """Create the tables through a client."""
    for table in TABLES:
        dynamodb.create_table(**table)
