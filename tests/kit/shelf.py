"""A Tokens table with tokens in it, and a reader of them with a clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brokerlink.reader import TokenReader
from brokerlink.secret import Secret
from brokerlink.storage import to_wire
from brokerlink.tokens import Sealer, TokenRecord
from tests.kit import emulated
from tests.kit.clients import client, token_key, wired
from tests.kit.core import Clock

ISSUED = 1_795_404_600
ENDS = ISSUED + 50_000
OWNER = {"broker": "pocketful", "account": "YA0002", "user_id": "user-1"}
ATTEMPT, OTHER_ATTEMPT = "attempt-of-the-event", "another-attempt"


class Shelf:
    """A Tokens table with a token in it, and a reader with a clock."""

    def __init__(self) -> None:
        emulated.create_tables()
        self.key = token_key()
        self.clock = Clock()
        self.dynamodb, self.wire = wired("dynamodb")
        self.kms, self.kms_wire = wired("kms")
        self.reader = self.reader_with()

    def reader_with(self, **settings: Any) -> TokenReader:
        return TokenReader("Tokens", dynamodb=self.dynamodb, kms=self.kms, clock=self.clock, **settings)

    def put(self, token: str = "canary-access-token", **changes: Any) -> TokenRecord:
        owner = OWNER | {name: changes.pop(name) for name in list(changes) if name in OWNER}
        record = TokenRecord(
            **owner,
            ciphertext=Sealer(client("kms"), self.key).seal(Secret(token), **owner),
            scope="orders holdings",
            token_type="bearer",
            attempt_id=ATTEMPT,
            issued_at_ms=ISSUED * 1000 + 500,
            expires_at=ENDS,
        )
        record = replace(record, **changes)
        client("dynamodb").put_item(TableName="Tokens", Item=to_wire(record.to_item()))
        return record


def event(**owner: str) -> dict[str, Any]:
    data = OWNER | owner | {"scope": "orders holdings", "issued_at": ISSUED, "expires_at": ENDS}
    return {"specversion": "1.0", "type": "brokerlink.token.issued.v1", "id": ATTEMPT, "data": data}
