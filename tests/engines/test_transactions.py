"""Transactions: all or nothing, once for each ClientRequestToken, and refused with reasons in order."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError

from brokerlink.attempts import Status, Transition
from brokerlink.storage import Conflict, Refused, Table, TransactionRefused, Wire, transact
from tests.engines.race import done, race
from tests.engines.tables import Tables, record_of, soon


def add_one(table: Table, key: str) -> Wire:
    return table.updating({"attempt_id": key}, "ADD #runs :one", None, {":one": 1})


def put_absent(table: Table, key: str) -> Wire:
    put = table.putting({"attempt_id": key}, "attribute_not_exists(#attempt_id)", {})
    # What is put under this condition names no value.
    del put["Put"]["ExpressionAttributeValues"]
    return put


def carried_out(table: Table, writes: list[Wire], token: str) -> bool:
    """Carry out a transaction as the library does: again while another one is in its way."""
    until = time.monotonic() + 30
    while True:
        try:
            transact(table.client, writes, token)
        except Conflict:
            assert time.monotonic() < until
        except TransactionRefused:
            return False
        else:
            return True


def test_a_repeated_token_runs_its_transaction_once(tables: Tables) -> None:
    table = tables.attempts_table
    for _ in range(4):
        key, token = secrets.token_hex(8), secrets.token_hex(16)
        outcomes = race([partial(carried_out, table, [add_one(table, key)], token) for _ in range(8)])
        assert outcomes == [True] * 8
        assert tables.attempt(key)["runs"] == 1


def test_a_token_with_other_writes_is_refused_and_writes_nothing(tables: Tables) -> None:
    table = tables.attempts_table
    token = secrets.token_hex(16)
    transact(table.client, [add_one(table, "a")], token)
    with pytest.raises(Refused, match="IdempotentParameterMismatchException"):
        transact(table.client, [add_one(table, "b")], token)
    assert not tables.attempt("b")


def test_a_commit_whose_answer_was_lost_is_made_once(tables: Tables) -> None:
    for _ in range(4):
        attempt = tables.claimed(user_id="asha")
        record, now = record_of(attempt), int(time.time())
        commit = partial(
            tables.commits.commit, attempt, record, token=attempt.claimed_by or "", now=now, deadline=soon()
        )
        outcomes = race([commit] * 8)
        assert len(done(outcomes)) == 8
        assert {outcome.row.status for outcome in outcomes if isinstance(outcome, Transition) and outcome.row} == {
            Status.SUCCEEDED
        }
    assert len(tables.issues()) == 4


def test_a_commit_whose_answers_are_lost_is_sent_again_byte_for_byte(tables: Tables) -> None:
    """Only so can the engine tell that it is the same one, which for a login that was held nothing else could."""
    for attempt in (tables.claimed(user_id="asha"), tables.held("meera")):
        record = record_of(attempt, issued_at_ms=attempt.issued_at_ms)
        with losing_answers(tables, times=3) as sent:
            done = tables.commits.commit(
                attempt, record, token=secrets.token_hex(16), now=int(time.time()), deadline=soon()
            )
        assert done.done
        assert len(sent) == 4
        assert len({*sent}) == 1
    assert len(tables.issues()) == 2


@contextmanager
def losing_answers(tables: Tables, *, times: int) -> Iterator[list[bytes]]:
    """Carry transactions out, and lose so many of their answers. Gives the bodies of all that were sent."""
    sent: list[bytes] = []
    client: Any = tables.attempts_table.client

    def carry_out(request: AWSPreparedRequest, **_: object) -> None:
        assert isinstance(request.body, bytes)
        sent.append(request.body)
        if len(sent) <= times:
            client._endpoint.http_session.send(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb.TransactWriteItems", carry_out)
    try:
        yield sent
    finally:
        client.meta.events.unregister("before-send.dynamodb.TransactWriteItems", carry_out)


def test_a_repeated_commit_does_not_bring_a_removed_token_back(tables: Tables) -> None:
    attempt = tables.claimed(user_id="asha")
    record, now = record_of(attempt), int(time.time())
    commit = partial(tables.commits.commit, attempt, record, token=attempt.claimed_by or "", now=now, deadline=soon())
    assert commit().done
    key = {"user_id": {"S": "asha"}, "connection": {"S": "pocketful#YA0002"}}
    tables.clients.dynamodb.delete_item(TableName=tables.tokens_table.name, Key=key)
    assert commit().done
    assert tables.token("asha") is None


def test_of_transactions_for_one_row_one_wins_and_the_others_write_nothing(tables: Tables) -> None:
    table = tables.attempts_table
    for _ in range(4):
        prize = secrets.token_hex(8)

        def attempt(number: int, prize: str = prize) -> bool:
            # A row of its own, beside the contested one and before: a cancelled rival must not take it away.
            transact(table.client, [add_one(table, f"{prize}-own-{number}")], secrets.token_hex(16))
            writes = [put_absent(table, prize), add_one(table, f"{prize}-with-{number}")]
            return carried_out(table, writes, secrets.token_hex(16))

        outcomes = race([partial(attempt, number) for number in range(16)])
        assert outcomes.count(True) == 1
        with_prize = [number for number in range(16) if tables.attempt(f"{prize}-with-{number}")]
        assert with_prize == [outcomes.index(True)]
        assert all(tables.attempt(f"{prize}-own-{number}")["runs"] == 1 for number in range(16))


def test_reasons_and_rows_come_in_the_order_of_the_writes(tables: Tables) -> None:
    table = tables.attempts_table
    tables.attempts_table.put_new({"attempt_id": "there", "status": "OPEN"}, "attempt_id")
    conditioned = table.updating(
        {"attempt_id": "there"}, "SET #status = :used", "#status = :gone", {":used": "USED", ":gone": "GONE"}
    )
    writes = [add_one(table, "free"), conditioned, put_absent(table, "absent")]
    with pytest.raises(TransactionRefused) as refused:
        transact(table.client, writes, secrets.token_hex(16))
    assert refused.value.failed == (False, True, False)
    assert refused.value.items == (None, {"attempt_id": "there", "status": "OPEN"}, None)
    assert not tables.attempt("free")
    assert not tables.attempt("absent")
