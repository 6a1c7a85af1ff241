"""The door to DynamoDB: attribute values as Python values, and its refusals in our own terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from botocore.exceptions import BotoCoreError, ClientError

from brokerlink.aws import UNREADABLE, TooLate
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
        return _call(
            "GetItem",
            lambda: self.client.get_item(TableName=self.name, Key=to_wire(key), ConsistentRead=True),
            lambda answer: _row(answer["Item"], key) if "Item" in answer else None,
            key,
        )

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
                _nothing,
                {key: item[key]},
            )
        except ConditionFailed as failed:
            if failed.item != item:
                raise

    def update(self, key: Mapping[str, str], change: str, condition: str, values: Mapping[str, Value]) -> Item:
        """Update one row under a condition and give the new row.

        Raises `ConditionFailed` with the row as it is, `Conflict`, `StorageError`.
        """
        return _call(
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
            lambda answer: _row(answer["Attributes"], key),
            key,
        )

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

    def pages(self, call: Literal["Query", "Scan"], **asked: object) -> Iterator[list[Item]]:
        """Read rows page by page; a page can be empty and not the last. Raises `StorageError`."""
        client: Any = self.client
        asked["TableName"] = self.name
        while True:
            items, last = _call(
                call, lambda: client.query(**asked) if call == "Query" else client.scan(**asked), _page, {}
            )
            yield items
            if not last:
                return
            asked["ExclusiveStartKey"] = last

    def deleting(self, key: Mapping[str, str], condition: str, values: Mapping[str, Value]) -> Wire:
        """Give the deletion of a row, under a condition, as one write of a transaction."""
        return {
            "Delete": {
                "TableName": self.name,
                "Key": to_wire(key),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": names_in(condition),
                "ExpressionAttributeValues": to_wire(values),
            }
        }

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
        _nothing,
        {},
    )


def names_in(*expressions: str) -> dict[str, str]:
    """Give ExpressionAttributeNames for every `#name` in the expressions: reserved words are never a worry."""
    return {name: name[1:] for name in re.findall(r"#\w+", " ".join(expressions))}


def _row(wire: Mapping[str, Any], key: Item) -> Item:
    """Read the row that was asked for. Raises one of `UNREADABLE` where it is not that row, or no row."""
    item = from_wire(wire)
    if not key.items() <= item.items():
        raise ValueError("not the row that was asked for")
    return item


def _page(answer: Mapping[str, Any]) -> tuple[list[Item], Any]:
    return [from_wire(item) for item in answer["Items"]], answer.get("LastEvaluatedKey")


def _nothing(_: object) -> None:
    pass


def _call[A: Mapping[str, Any], R](name: str, call: Callable[[], A], read: Callable[[A], R], key: Item) -> R:
    """Make a call and read DynamoDB's answer; raise what is in its place. `key` is that of the row it is about.

    Refusals are raised outside the handlers that catch botocore's: those quote the parameters that they refuse, and
    would hang on ours as their context.
    """
    try:
        answer = call()
        # The SDK takes every 200 for success, also the page of something that stands before DynamoDB.
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        if headers.get("content-type", "").startswith(("application/x-amz-json-", "application/cbor")):
            return read(answer)
        refusal: BrokerlinkError = StorageError(f"{name}: the answer is not DynamoDB's")
    except ClientError as error:
        refusal = _refusal(name, error, key)
    except BotoCoreError as error:
        kind = OutOfTime if isinstance(error, TooLate) else StorageError
        refusal = kind(f"{name}: {type(error).__name__}")
    except UNREADABLE:
        refusal = StorageError(f"{name}: unreadable answer")
    raise refusal


def _refusal(call: str, error: ClientError, key: Item) -> BrokerlinkError:
    try:
        code = error.response["Error"]["Code"]
        match code:
            case "ConditionalCheckFailedException":
                wire: Any = error.response.get("Item")
                return ConditionFailed(_row(wire, key) if wire else None)
            case "TransactionCanceledException":
                return _cancellation(call, error)
    except UNREADABLE:
        return StorageError(f"{call}: unreadable refusal")
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
