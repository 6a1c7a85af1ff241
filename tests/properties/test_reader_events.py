"""Strange events before the reader: a refusal that says what it is, and nothing is decrypted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from moto import mock_aws

from brokerlink.reader import TokenNotFound, TokenReader
from brokerlink.secret import Secret
from brokerlink.storage import to_wire
from brokerlink.tokens import Sealer, TokenRecord
from tests.kit import emulated
from tests.kit.clients import client, token_key, wired
from tests.kit.wire import Wire
from tests.kit.world import MIDNIGHT, MORNING
from tests.properties.effort import effort
from tests.properties.hostile import broken, junk, texts
from tests.properties.tally import tried

OWNER = {"user_id": "user-1", "broker": "pocketful", "account": "YA0002"}
EVENT = {
    "specversion": "1.0",
    "id": "attempt-1",
    "type": "brokerlink.token.issued.v1",
    "data": {**OWNER, "scope": "orders", "issued_at": MORNING, "expires_at": MIDNIGHT},
}


@pytest.fixture(scope="module")
def shelf() -> Iterator[tuple[TokenReader, Wire]]:
    with mock_aws():
        emulated.create_tables()
        row = TokenRecord(
            **OWNER,
            ciphertext=Sealer(client("kms"), token_key()).seal(Secret("canary-access-token"), **OWNER),
            scope="orders",
            token_type="bearer",
            attempt_id="attempt-1",
            issued_at_ms=MORNING * 1000,
            expires_at=MIDNIGHT,
        )
        client("dynamodb").put_item(TableName="Tokens", Item=to_wire(row.to_item()))
        kms, wire = wired("kms")
        yield TokenReader("Tokens", dynamodb=client("dynamodb"), kms=kms, clock=lambda: MORNING), wire


def documents() -> st.SearchStrategy[Any]:
    values = st.sampled_from(list(EVENT["data"])) if isinstance(EVENT["data"], dict) else st.nothing()
    spoilt = st.builds(
        lambda name, value: EVENT | {"data": {**OWNER, "issued_at": MORNING, name: value}}, values, junk | texts
    )
    return broken(st.just(EVENT)) | spoilt | junk.filter(lambda value: value is not None)


@given(document=documents(), as_text=st.booleans())
@effort(100)
def test_strange_event(shelf: tuple[TokenReader, Wire], document: Any, *, as_text: bool) -> None:
    reader, wire = shelf
    wire.calls.clear()
    tried("events for the reader")
    try:
        token = reader.get(json.dumps(document) if as_text else document)
    except (ValueError, TokenNotFound):
        assert wire.calls == []
    else:
        # Only what still names this very token gives it.
        assert {name: document["data"][name] for name in OWNER} == OWNER
        assert token.access_token == "canary-access-token"


@given(text=texts | st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@effort(75)
def test_strange_text(shelf: tuple[TokenReader, Wire], text: str) -> None:
    reader, wire = shelf
    wire.calls.clear()
    tried("events for the reader, texts")
    with pytest.raises(ValueError, match=r"^this is not a brokerlink event$"):
        reader.get(text)
    assert wire.calls == []
