"""The door to DynamoDB: values on the wire, lost answers, and what each refusal means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from brokerlink.errors import BrokerlinkError
from brokerlink.storage import (
    ConditionFailed,
    Conflict,
    Refused,
    StorageError,
    Table,
    TransactionRefused,
    Value,
    from_wire,
    names_in,
    to_wire,
    transact,
)
from tests.kit import emulated
from tests.kit.clients import client, wired
from tests.kit.wire import Fault, Wire, after, cancelled, down, lost, misread, refused, resent

ROW: dict[str, Value] = {"attempt_id": "a", "status": "PENDING", "expires_at": 600}
KEY = {"attempt_id": "a"}
FINISH = "SET #status = :done"
IF_PENDING = "#status = :pending"
VALUES = {":done": "DONE", ":pending": "PENDING"}


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        emulated.create_tables()
        yield Table(wired("dynamodb")[0], "LoginAttempts")


@pytest.fixture
def wire(table: Table) -> Wire:
    del table
    return wired("dynamodb")[1]


# values


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20), st.text() | st.binary() | st.integers(-(10**37), 10**37), max_size=8
    )
)
def test_what_is_written_is_read_back(item: dict[str, Value]) -> None:
    assert from_wire(to_wire(item)) == item


@pytest.mark.parametrize(
    "attribute",
    [
        {"N": "1.5"},
        {"N": "1E+40"},
        {"N": "-0.1"},
        {"BOOL": True},
        {"NULL": True},
        {"L": [{"S": "a"}]},
        {"M": {"a": {"S": "a"}}},
        {"SS": ["a"]},
        {"NS": ["1"]},
    ],
    ids=str,
)
def test_an_attribute_of_a_later_version_is_left_out(attribute: dict[str, Any]) -> None:
    assert from_wire({"known": {"S": "a"}, "later": attribute}) == {"known": "a"}


@pytest.mark.parametrize("number", [0, 1, -1, 1_795_404_600, 1_795_404_600_123])
def test_numbers_are_whole(number: int) -> None:
    assert from_wire({"n": {"N": str(number)}}) == {"n": number}


def test_every_name_of_an_expression_is_a_placeholder() -> None:
    change, condition = "SET #status = :s, #ttl = :t REMOVE #error", "attribute_not_exists(#user_id) OR #scope<:x"
    names = ["status", "ttl", "error", "user_id", "scope"]
    assert names_in(change, condition) == {f"#{name}": name for name in names}


# reading and writing


def test_reads_are_consistent(table: Table, wire: Wire) -> None:
    table.get(KEY)
    assert wire.made("GetItem")[0].json["ConsistentRead"] is True


def test_an_absent_row_reads_as_none(table: Table) -> None:
    assert table.get(KEY) is None


def test_a_new_row_is_written_once(table: Table) -> None:
    table.put_new(ROW, "attempt_id")
    with pytest.raises(ConditionFailed) as met:
        table.put_new(ROW | {"status": "OPEN"}, "attempt_id")
    assert met.value.item == ROW
    assert table.get(KEY) == ROW


def test_a_new_row_that_the_sdk_wrote_twice_is_written(table: Table, wire: Wire) -> None:
    wire.meet("PutItem", resent)
    table.put_new(ROW, "attempt_id")
    assert table.get(KEY) == ROW


def test_an_update_gives_the_new_row(table: Table) -> None:
    table.put_new(ROW, "attempt_id")
    assert table.update(KEY, FINISH, IF_PENDING, VALUES) == ROW | {"status": "DONE"}


def test_an_update_whose_condition_fails_gives_the_row_that_it_met(table: Table) -> None:
    table.put_new(ROW | {"status": "OPEN"}, "attempt_id")
    with pytest.raises(ConditionFailed) as met:
        table.update(KEY, FINISH, IF_PENDING, VALUES)
    assert met.value.item == ROW | {"status": "OPEN"}
    assert table.get(KEY) == ROW | {"status": "OPEN"}


def test_an_update_of_an_absent_row_meets_nothing_and_creates_nothing(table: Table) -> None:
    with pytest.raises(ConditionFailed) as met:
        table.update(KEY, FINISH, IF_PENDING, VALUES)
    assert met.value.item is None
    assert table.get(KEY) is None


# refusals


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(refused("ConditionalCheckFailedException"), ConditionFailed, id="condition"),
        pytest.param(refused("TransactionConflictException"), Conflict, id="conflict"),
        pytest.param(refused("TransactionInProgressException"), Conflict, id="in progress"),
        pytest.param(refused("ValidationException"), Refused, id="validation"),
        pytest.param(refused("AccessDeniedException"), Refused, id="access denied"),
        pytest.param(refused("ResourceNotFoundException"), Refused, id="no such table"),
        pytest.param(refused("UnrecognizedClientException"), Refused, id="bad credentials"),
        pytest.param(refused("IdempotentParameterMismatchException"), Refused, id="token reused"),
        pytest.param(refused("ProvisionedThroughputExceededException"), StorageError, id="throttled"),
        pytest.param(refused("ThrottlingException"), StorageError, id="throttled by the account"),
        pytest.param(refused("InternalServerError", status=500), StorageError, id="server error"),
        pytest.param(refused("SomethingNew"), StorageError, id="unheard of"),
        pytest.param(down, StorageError, id="no answer"),
        pytest.param(lost, StorageError, id="lost answer"),
    ],
)
def test_what_a_refusal_means(table: Table, wire: Wire, fault: Fault, kind: type[BrokerlinkError]) -> None:
    table.put_new(ROW, "attempt_id")
    wire.meet("UpdateItem", fault)
    with pytest.raises(BrokerlinkError) as raised:
        table.update(KEY, FINISH, IF_PENDING, VALUES)
    assert type(raised.value) is kind


WRONG: dict[str, object] = {
    "a list": [],
    "a text": "canary",
    "a number": 7,
    "null": None,
    "a row that is a number": {"Item": 7, "Attributes": 7},
    "a row that is a list": {"Item": ["canary"], "Attributes": ["canary"]},
    "a row without its key": {"Item": {"status": {"S": "x"}}, "Attributes": {"status": {"S": "x"}}},
    "another row": {"Item": {"attempt_id": {"S": "b"}}, "Attributes": {"attempt_id": {"S": "b"}}},
    "a key of another type": {"Item": {"attempt_id": {"N": "7"}}, "Attributes": {"attempt_id": {"N": "7"}}},
    "attributes that are texts": {"Item": {"attempt_id": "a"}, "Attributes": {"attempt_id": "a"}},
    "a number that is a number": {
        "Item": {"attempt_id": {"S": "a"}, "ttl": {"N": 7}},
        "Attributes": {"attempt_id": {"S": "a"}, "ttl": {"N": 7}},
    },
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_an_answer_of_wrong_types_is_no_answer(table: Table, wire: Wire, body: Any) -> None:
    table.put_new(ROW, "attempt_id")
    wire.meet("GetItem", misread(body))
    wire.meet("UpdateItem", misread(body))
    with pytest.raises(StorageError, match="GetItem: unreadable answer") as get:
        table.get(KEY)
    with pytest.raises(StorageError, match="UpdateItem: unreadable answer") as update:
        table.update(KEY, FINISH, IF_PENDING, VALUES)
    for raised in (get.value, update.value):
        assert "canary" not in str(raised)
        assert raised.__context__ is None


@pytest.mark.parametrize("item", [7, ["canary"], {"status": {"S": "canary"}}, {"attempt_id": {"S": "b"}}], ids=str)
def test_a_condition_that_failed_on_an_unreadable_row_is_no_answer(table: Table, wire: Wire, item: Any) -> None:
    failed = {"__type": "com.amazonaws#ConditionalCheckFailedException", "message": "refused", "Item": item}
    table.put_new(ROW, "attempt_id")
    wire.meet("UpdateItem", misread(failed, status=400))
    wire.meet("PutItem", misread(failed, status=400))
    with pytest.raises(StorageError, match="UpdateItem: unreadable") as update:
        table.update(KEY, FINISH, IF_PENDING, VALUES)
    with pytest.raises(StorageError, match="PutItem: unreadable") as put:
        table.put_new(ROW, "attempt_id")
    assert "canary" not in f"{update.value} {put.value}"


@pytest.mark.parametrize("reasons", [7, [7], [{"Code": "ConditionalCheckFailed", "Item": 7}]], ids=str)
def test_a_cancellation_of_wrong_types_is_no_answer(table: Table, wire: Wire, reasons: Any) -> None:
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    wire.meet("TransactWriteItems", misread({"__type": kind, "CancellationReasons": reasons}, status=400))
    with pytest.raises(StorageError, match="unreadable"):
        transact(table.client, [table.updating(KEY, FINISH, IF_PENDING, VALUES)], "token")


@pytest.mark.parametrize(
    ("reasons", "kind"),
    [
        pytest.param(("None", "ConditionalCheckFailed"), TransactionRefused, id="one condition"),
        pytest.param(("ConditionalCheckFailed", "ConditionalCheckFailed"), TransactionRefused, id="both conditions"),
        pytest.param(("TransactionConflict", "None"), Conflict, id="conflict"),
        pytest.param(("TransactionConflict", "ConditionalCheckFailed"), Conflict, id="conflict beside a condition"),
        pytest.param(("ThrottlingError", "None"), StorageError, id="throttled"),
        pytest.param(("ThrottlingError", "ConditionalCheckFailed"), StorageError, id="throttled beside a condition"),
        pytest.param(("ProvisionedThroughputExceeded", "None"), StorageError, id="over the table's rate"),
        pytest.param(("ValidationError", "None"), Refused, id="validation"),
        pytest.param(("ValidationError", "TransactionConflict"), Refused, id="validation beside a conflict"),
        pytest.param(("None", "None"), StorageError, id="no reason given"),
        pytest.param((), StorageError, id="no reasons at all"),
    ],
)
def test_what_a_cancelled_transaction_means(
    table: Table, wire: Wire, reasons: tuple[str, ...], kind: type[BrokerlinkError]
) -> None:
    wire.meet("TransactWriteItems", cancelled(*reasons))
    with pytest.raises(BrokerlinkError) as raised:
        transact(table.client, [table.updating(KEY, FINISH, IF_PENDING, VALUES)], "token")
    assert type(raised.value) is kind


def test_a_refused_transaction_tells_which_write_failed_and_what_it_met(table: Table) -> None:
    table.put_new(ROW | {"status": "OPEN"}, "attempt_id")
    put = table.putting({"attempt_id": "b"}, "attribute_not_exists(#attempt_id)", {":unused": "x"})
    del put["Put"]["ExpressionAttributeValues"]
    with pytest.raises(TransactionRefused) as raised:
        transact(table.client, [table.updating(KEY, FINISH, IF_PENDING, VALUES), put], "token")
    assert raised.value.failed == (True, False)
    assert raised.value.items == (ROW | {"status": "OPEN"}, None)
    assert table.get({"attempt_id": "b"}) is None


def test_a_transaction_is_sent_with_its_token(table: Table, wire: Wire) -> None:
    table.put_new(ROW, "attempt_id")
    transact(table.client, [table.updating(KEY, FINISH, IF_PENDING, VALUES)], "claim-1")
    assert wire.made("TransactWriteItems")[0].json["ClientRequestToken"] == "claim-1"
    assert table.get(KEY) == ROW | {"status": "DONE"}


def test_an_update_without_a_condition_in_a_transaction_has_none(table: Table, wire: Wire) -> None:
    transact(table.client, [table.updating(KEY, FINISH, None, {":done": "DONE"})], "token")
    assert "ConditionExpression" not in wire.made("TransactWriteItems")[0].json["TransactItems"][0]["Update"]
    assert table.get(KEY) == {"attempt_id": "a", "status": "DONE"}


def test_refusals_never_quote_a_value(table: Table, wire: Wire) -> None:
    table.put_new(ROW | {"code_verifier": "canary"}, "attempt_id")
    seen: list[str] = []
    for fault in (refused("ValidationException"), down, refused("ConditionalCheckFailedException")):
        wire.meet("UpdateItem", fault)
        with pytest.raises(BrokerlinkError) as raised:
            table.update(KEY, "SET #code_verifier = :v", IF_PENDING, {":v": "canary", ":pending": "PENDING"})
        seen += [str(raised.value), repr(raised.value)]
        # The SDK's own exception would bring its text, which can quote its parameters, into a log.
        assert raised.value.__context__ is None
    assert not any("canary" in text for text in seen)


def test_the_row_that_an_update_met_is_the_one_at_its_time(table: Table, wire: Wire) -> None:
    table.put_new(ROW, "attempt_id")
    others = Table(client("dynamodb"), "LoginAttempts")
    wire.meet(
        "UpdateItem",
        after(lambda: others.update(KEY, "SET #status = :s", IF_PENDING, {":s": "HELD", ":pending": "PENDING"})),
    )
    with pytest.raises(ConditionFailed) as met:
        table.update(KEY, FINISH, IF_PENDING, VALUES)
    assert met.value.item is not None
    assert met.value.item["status"] == "HELD"
