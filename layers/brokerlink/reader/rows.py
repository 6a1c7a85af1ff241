"""The Tokens table as a consumer reads it: consistently by key, and by the index to learn who has a live token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from brokerlink.connections import connection, shard_key

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef

INDEX: Final = "by_broker"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose token it is: the table's key, and what the encryption context is made of."""

    user_id: str
    broker: str
    account: str

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Self:
        """Read an item's key: what stands beside the key could have been copied from another row."""
        broker, _, account = item["connection"]["S"].partition("#")
        return cls(item["user_id"]["S"], broker, account)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of Tokens. Times are epoch seconds."""

    owner: Owner
    ciphertext: bytes = field(repr=False)
    scope: str
    token_type: str
    attempt_id: str
    issued_at: int
    expires_at: int
    app_key: str | None

    @classmethod
    def read(cls, owner: Owner, item: Mapping[str, Any]) -> Self | None:
        """Read an item as DynamoDB speaks it; None for one that callback has not written."""
        with suppress(KeyError, ValueError):
            return cls(
                owner,
                bytes(item["ciphertext"]["B"]),
                item["scope"]["S"],
                item["token_type"]["S"],
                item["attempt_id"]["S"],
                int(item["issued_at_ms"]["N"]) // 1000,
                int(item["expires_at"]["N"]),
                item["app_key"]["S"] if "app_key" in item else None,
            )
        return None


class Rows:
    """Reads items of the table. Every method raises botocore's errors where AWS refuses or does not answer."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self.table = table
        self._dynamodb = dynamodb

    def get(self, owner: Owner) -> Mapping[str, Any] | None:
        """Read one item consistently; None where there is none."""
        key = {"user_id": {"S": owner.user_id}, "connection": {"S": connection(owner.broker, owner.account)}}
        return self._dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")

    def of_user(self, user_id: str) -> Iterator[tuple[Owner, Mapping[str, Any]]]:
        """Read all items of a user consistently, page by page."""
        asked: QueryInputTypeDef = {
            "TableName": self.table,
            "ConsistentRead": True,
            "KeyConditionExpression": "#user_id = :user_id",
            "ExpressionAttributeNames": {"#user_id": "user_id"},
            "ExpressionAttributeValues": {":user_id": {"S": user_id}},
        }
        for item in self._query(asked):
            yield Owner.of(item), item

    def of_broker(self, broker: str, shards: Iterable[int], *, after: int) -> Iterator[Owner]:
        """Page through the index, shard by shard: whose tokens at a broker live past `after`, an epoch second.

        An index is read eventually consistently, always: what it says may be a moment old.
        """
        for number in shards:
            asked: QueryInputTypeDef = {
                "TableName": self.table,
                "IndexName": INDEX,
                "KeyConditionExpression": "#shard = :shard AND #expires_at > :after",
                "ProjectionExpression": "#user_id, #connection",
                "ExpressionAttributeNames": {
                    "#shard": "shard",
                    "#expires_at": "expires_at",
                    "#user_id": "user_id",
                    "#connection": "connection",
                },
                "ExpressionAttributeValues": {":shard": {"S": shard_key(broker, number)}, ":after": {"N": str(after)}},
            }
            for item in self._query(asked):
                yield Owner.of(item)

    def _query(self, asked: QueryInputTypeDef) -> Iterator[Mapping[str, Any]]:
        while True:
            page = self._dynamodb.query(**asked)
            yield from page["Items"]
            # A page can be empty and not the last.
            if not page.get("LastEvaluatedKey"):
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
