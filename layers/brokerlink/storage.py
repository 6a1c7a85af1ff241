"""The door to DynamoDB: attribute values as Python values, and its refusals in our own terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from brokerlink.aws import TooLate
from brokerlink.errors import BrokerlinkError

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

type Value = str | int | bytes
type Item = Mapping[str, Value]
# As DynamoDB speaks: {"S": "text"}, {"N": "1"}, {"B": b"bytes"}. The stubs' union is wider than what we store.
type Wire = dict[str, Any]

_CONFLICTS: Final = frozenset({"TransactionConflictException", "TransactionInProgressException"})
_PERMANENT: Final = frozenset(
    {
        "AccessDeniedException",
        "IdempotentParameterMismatchException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)


class StorageError(BrokerlinkError):
    """DynamoDB refused or did not answer; whether a write landed is unknown. The text names call and reason only."""


class Conflict(StorageError):
    """Another transaction holds the item just now, or the same one, sent before, is still under way."""


class Refused(StorageError):
    """DynamoDB will refuse this call however often it is made; nothing was written."""


class OutOfTime(StorageError):
    """The invocation has no time left for another try; whether an earlier one landed is unknown."""


class ConditionFailed(BrokerlinkError):
    """The condition of a write did not hold; `item` is the row that it met, if there is one."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("the condition of a write did not hold")
        self.item = item


class TransactionRefused(BrokerlinkError):
    """A transaction was cancelled by conditions: for each of its writes, whether its own condition failed.

    `items` holds the row that each failed condition met, if there is one.
    """

    def __init__(self, failed: tuple[bool, ...], items: tuple[Item | None, ...]) -> None:
        super().__init__("the condition of a transaction did not hold")
        self.failed = failed
        self.items = items


def to_wire(item: Mapping[str, Value]) -> Wire:
    """Write Python values as attribute values: str is S, int is N, bytes is B."""
    return {name: _value(value) for name, value in item.items()}


def from_wire(wire: Mapping[str, Any]) -> dict[str, Value]:
    """Read attribute values; types that we never store (lists, fractions, …) are left out."""
    item: dict[str, Value] = {}
    for name, attribute in wire.items():
        if "S" in attribute:
            item[name] = str(attribute["S"])
        elif "N" in attribute and attribute["N"].lstrip("-").isdigit():
            item[name] = int(attribute["N"])
        elif "B" in attribute:
            item[name] = bytes(attribute["B"])
    return item


def _value(value: Value) -> Wire:
    match value:
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}


class Table:
    """One table, reached with one client. Every expression names its attributes as `#name` and values as `:name`."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: Mapping[str, str]) -> Item | None:
        """Read one row consistently. Raises `StorageError`."""
        answer = _call(
            "GetItem",
            lambda: self.client.get_item(TableName=self.name, Key=to_wire(key), ConsistentRead=True),
        )
        return from_wire(answer["Item"]) if "Item" in answer else None

    def put_new(self, item: Item, key: str) -> None:
        """Write a row that must not exist yet. Raises `ConditionFailed`, `StorageError`.

        Meeting the very same row is no failure: it is our own write, which the SDK sent again after a lost answer.
        """
        try:
            _call(
                "PutItem",
                lambda: self.client.put_item(
                    TableName=self.name,
                    Item=to_wire(item),
                    ConditionExpression=f"attribute_not_exists({key})",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                ),
            )
        except ConditionFailed as failed:
            if failed.item != item:
                raise

    def update(self, key: Mapping[str, str], change: str, condition: str, values: Mapping[str, Value]) -> Item:
        """Update one row under a condition and give the new row.

        Raises `ConditionFailed` with the row as it is, `Conflict`, `StorageError`.
        """
        answer = _call(
            "UpdateItem",
            lambda: self.client.update_item(
                TableName=self.name,
                Key=to_wire(key),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames=names_in(change, condition),
                ExpressionAttributeValues=to_wire(values),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
        )
        return from_wire(answer["Attributes"])

    def updating(self, key: Mapping[str, str], change: str, condition: str | None, values: Mapping[str, Value]) -> Wire:
        """Give the same update as one write of a transaction."""
        update: Wire = {
            "TableName": self.name,
            "Key": to_wire(key),
            "UpdateExpression": change,
            "ExpressionAttributeNames": names_in(change, condition or ""),
            "ExpressionAttributeValues": to_wire(values),
        }
        if condition is not None:
            update |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        return {"Update": update}

    def putting(self, item: Item, condition: str, values: Mapping[str, Value]) -> Wire:
        """Give a put of a whole row, under a condition, as one write of a transaction."""
        return {
            "Put": {
                "TableName": self.name,
                "Item": to_wire(item),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": names_in(condition),
                "ExpressionAttributeValues": to_wire(values),
                "ReturnValuesOnConditionCheckFailure": "NONE",
            }
        }


def transact(client: DynamoDBClient, writes: Sequence[Wire], token: str) -> None:
    """Carry out all writes or none; `token` (≤ 36 characters) makes a repetition harmless for ten minutes.

    Raises `TransactionRefused` where conditions failed and nothing else, `Conflict`, `StorageError`.
    """
    _call(
        "TransactWriteItems",
        lambda: client.transact_write_items(
            TransactItems=cast("Sequence[TransactWriteItemTypeDef]", writes), ClientRequestToken=token
        ),
    )


def names_in(*expressions: str) -> dict[str, str]:
    """Give ExpressionAttributeNames for every `#name` in the expressions: reserved words are never a worry."""
    return {name: name[1:] for name in re.findall(r"#\w+", " ".join(expressions))}


def _call[T: Mapping[str, Any]](name: str, call: Callable[[], T]) -> T:
    """Make a call and give DynamoDB's answer; raise what is in its place.

    Refusals are raised outside the handlers that catch botocore's: those quote the parameters that they refuse, and
    would hang on ours as their context.
    """
    try:
        answer = call()
    except (ClientError, BotoCoreError) as error:
        refusal = _refusal(name, error)
    except ResponseParserError:
        refusal = StorageError(f"{name}: unreadable answer")
    else:
        # The SDK takes every 200 for success, also the page of something that stands before DynamoDB.
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        if headers.get("content-type", "").startswith(("application/x-amz-json-", "application/cbor")):
            return answer
        refusal = StorageError(f"{name}: the answer is not DynamoDB's")
    raise refusal


def _refusal(call: str, error: ClientError | BotoCoreError) -> BrokerlinkError:
    if not isinstance(error, ClientError):
        kind = OutOfTime if isinstance(error, TooLate) else StorageError
        return kind(f"{call}: {type(error).__name__}")
    code = error.response.get("Error", {}).get("Code", "unknown")
    if code == "ConditionalCheckFailedException":
        wire: Any = error.response.get("Item")
        return ConditionFailed(from_wire(wire) if wire else None)
    if code == "TransactionCanceledException":
        return _cancellation(call, error)
    if code in _CONFLICTS:
        return Conflict(f"{call}: {code}")
    if code in _PERMANENT:
        return Refused(f"{call}: {code}")
    return StorageError(f"{call}: {code}")


def _cancellation(call: str, error: ClientError) -> BrokerlinkError:
    # Which writes were refused, and why, comes in the order of the writes (API reference, TransactWriteItems).
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
    if codes == {"ConditionalCheckFailed"}:
        return TransactionRefused(
            tuple(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons),
            tuple(from_wire(reason["Item"]) if reason.get("Item") else None for reason in reasons),
        )
    if "TransactionConflict" in codes and codes <= {"TransactionConflict", "ConditionalCheckFailed"}:
        return Conflict(f"{call}: TransactionConflict")
    refusal = Refused if "ValidationError" in codes else StorageError
    return refusal(f"{call}: cancelled ({', '.join(sorted(codes)) or 'no reason given'})")
