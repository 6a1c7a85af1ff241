"""moto's transactions are not isolated, and repeat themselves: the emulator's are serialised and run once."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from botocore.exceptions import ClientError

from local.aws import Clients
from local.emulator import Emulator
from local.transactions import SerialisedTransactions

TARGET = "DynamoDB_20120810.TransactWriteItems"


@pytest.fixture
def table(emulator: Emulator) -> str:
    emulator.clients.dynamodb.create_table(
        TableName="attempts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return "attempts"


def _add(clients: Clients, row: str, token: str) -> None:
    clients.dynamodb.transact_write_items(
        TransactItems=[
            {
                "Update": {
                    "TableName": "attempts",
                    "Key": {"id": {"S": row}},
                    "UpdateExpression": "ADD runs :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            }
        ],
        ClientRequestToken=token,
    )


def _runs(clients: Clients, row: str) -> int:
    return int(clients.dynamodb.get_item(TableName="attempts", Key={"id": {"S": row}})["Item"]["runs"]["N"])


@pytest.mark.usefixtures("table")
def test_concurrent_transactions_have_exactly_one_winner_and_lose_no_row(emulator: Emulator) -> None:
    dynamodb = emulator.clients.dynamodb
    racers, rounds, others = 8, 12, 250
    start = Barrier(racers)
    # moto copies the table in each transaction: the more it holds, the longer a transaction is open to its rivals.
    ballast = {f"attribute{number}": {"S": "x"} for number in range(8)}
    for number in range(0, others, 25):
        rows = ({"id": {"S": f"other-{number + place}"}, **ballast} for place in range(25))
        dynamodb.batch_write_item(RequestItems={"attempts": [{"PutRequest": {"Item": row}} for row in rows]})

    def claim(number: int) -> list[bool]:
        won: list[bool] = []
        for turn in range(rounds):
            start.wait(30)
            # A row of its own beside the contested one: a cancelled rival must not take it away again.
            dynamodb.put_item(TableName="attempts", Item={"id": {"S": f"own-{turn}-{number}"}})
            try:
                dynamodb.transact_write_items(
                    TransactItems=[
                        {
                            "Put": {
                                "TableName": "attempts",
                                "Item": {"id": {"S": f"prize-{turn}"}, "winner": {"N": str(number)}},
                                "ConditionExpression": "attribute_not_exists(id)",
                            }
                        }
                    ]
                )
                won.append(True)
            except dynamodb.exceptions.TransactionCanceledException:
                won.append(False)
        return won

    with ThreadPoolExecutor(racers) as pool:
        outcomes = list(pool.map(claim, range(racers)))
    for turn in range(rounds):
        assert [won[turn] for won in outcomes].count(True) == 1
    assert dynamodb.scan(TableName="attempts", Select="COUNT")["Count"] == others + racers * rounds + rounds


@pytest.mark.usefixtures("table")
def test_a_repeated_token_runs_its_transaction_once(emulator: Emulator) -> None:
    for _ in range(3):
        _add(emulator.clients, "a", "token-1")
    _add(emulator.clients, "a", "token-2")
    assert _runs(emulator.clients, "a") == 2


@pytest.mark.usefixtures("table")
def test_a_token_with_other_parameters_is_refused(emulator: Emulator) -> None:
    _add(emulator.clients, "a", "token")
    with pytest.raises(ClientError) as refused:
        _add(emulator.clients, "b", "token")
    assert refused.value.response["Error"]["Code"] == "IdempotentParameterMismatchException"
    assert _runs(emulator.clients, "a") == 1


@pytest.mark.usefixtures("table")
def test_a_cancelled_transaction_may_be_repeated_with_its_token(emulator: Emulator) -> None:
    dynamodb = emulator.clients.dynamodb

    def put_if_absent() -> None:
        dynamodb.transact_write_items(
            TransactItems=[
                {
                    "Put": {
                        "TableName": "attempts",
                        "Item": {"id": {"S": "a"}},
                        "ConditionExpression": "attribute_not_exists(id)",
                    }
                }
            ],
            ClientRequestToken="token",
        )

    dynamodb.put_item(TableName="attempts", Item={"id": {"S": "a"}})
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        put_if_absent()
    dynamodb.delete_item(TableName="attempts", Key={"id": {"S": "a"}})
    put_if_absent()
    assert dynamodb.scan(TableName="attempts", Select="COUNT")["Count"] == 1


class _Counting:
    """A DynamoDB that only counts what it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ
        self.calls += 1
        start_response("200 OK", [])
        return [b"{}"]


def test_a_token_is_forgotten_after_ten_minutes() -> None:
    times = [0.0]
    inner = _Counting()
    serialised = SerialisedTransactions(inner, now=lambda: times[-1])
    body = json.dumps({"ClientRequestToken": "t", "TransactItems": []}).encode()

    def call() -> None:
        environ: WSGIEnvironment = {"wsgi.input": BytesIO(body)}
        list(serialised(environ, lambda *_: lambda _data: None, TARGET, body))

    call()
    times.append(599.0)
    call()
    assert inner.calls == 1
    times.append(600.0)
    call()
    assert inner.calls == 2


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"TransactItems": []}', b'{"ClientRequestToken": "t"}'])
def test_a_call_without_token_or_sense_is_left_to_the_emulator(body: bytes) -> None:
    inner = _Counting()
    serialised = SerialisedTransactions(inner)
    for _ in range(2):
        list(serialised({}, lambda *_: lambda _data: None, TARGET, body))
    assert inner.calls == 2
