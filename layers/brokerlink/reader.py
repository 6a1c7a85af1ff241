"""Reads broker tokens: what a consumer of the events imports, with nothing but boto3 beside it.

from brokerlink.reader import TokenReader

token = TokenReader().get(event)
orders.authenticate(token.access_token)
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from brokerlink.connections import connection, encryption_context
from brokerlink.errors import BrokerlinkError
from brokerlink.logs import silence_wire_loggers

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_kms.client import KMSClient

TABLE_VARIABLE: Final = "BROKERLINK_TOKENS_TABLE"
# Hosts' clocks differ: a token in its last second is not given out as alive.
CLOCK_SKEW: Final = 1
_CONFIG: Final = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})


class TokenNotFound(BrokerlinkError):
    """There is no token of this user and account, or none that the event can mean."""


class TokenExpired(BrokerlinkError):
    """The token's day has ended; the customer has to log in again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerToken:
    """A live access token. `issued_at` and `expires_at` are epoch seconds; `app_key` is public."""

    access_token: str = field(repr=False)
    user_id: str
    broker: str
    account: str
    scope: str
    token_type: str
    attempt_id: str
    issued_at: int
    expires_at: int
    app_key: str | None = None


class TokenReader:
    """Reads the Tokens table and decrypts. Make one per process; it is safe to share between threads."""

    def __init__(
        self,
        table: str | None = None,
        *,
        dynamodb: DynamoDBClient | None = None,
        kms: KMSClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the table's name, else the environment's `BROKERLINK_TOKENS_TABLE`. `clock` gives epoch seconds.

        Raises `ValueError` where there is no table's name.
        """
        # botocore writes what KMS decrypts into its debug log.
        silence_wire_loggers()
        name = table or os.environ.get(TABLE_VARIABLE)
        if not name:
            raise ValueError(f"name the Tokens table: TokenReader(table) or the environment's {TABLE_VARIABLE}")
        self._table = name
        self._dynamodb: DynamoDBClient = dynamodb or boto3.client("dynamodb", config=_CONFIG)
        self._kms: KMSClient = kms or boto3.client("kms", config=_CONFIG)
        self._clock = clock

    def get(
        self,
        event: Mapping[str, Any] | str | None = None,
        *,
        user_id: str | None = None,
        broker: str | None = None,
        account: str | None = None,
    ) -> BrokerToken:
        """Give the token that an event announced, or that of a user, broker and account.

        `event` is the CloudEvent (a mapping, or the SNS message's text). For an event, the row must be the one it
        announced or a later one. Raises `TokenNotFound`, `TokenExpired`, `ValueError` for an event that is none, and
        botocore's errors where AWS refuses or does not answer.
        """
        if event is not None:
            announced = _announced(event)
            return self._read(announced.user_id, announced.broker, announced.account, announced)
        if user_id is None or broker is None or account is None:
            raise ValueError("give an event, or user_id, broker and account")
        return self._read(user_id, broker, account, None)

    def _read(self, user_id: str, broker: str, account: str, announced: _Announced | None) -> BrokerToken:
        key = {"user_id": {"S": user_id}, "connection": {"S": connection(broker, account)}}
        row = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if row is None:
            raise TokenNotFound(f"no token of {broker}/{account} for this user")
        attempt_id, issued_at = row["attempt_id"]["S"], int(row["issued_at_ms"]["N"]) // 1000
        if announced is not None and attempt_id != announced.attempt_id and issued_at <= announced.issued_at:
            raise TokenNotFound(f"the token of {broker}/{account} is older than the event")
        expires_at = int(row["expires_at"]["N"])
        if self._clock() + CLOCK_SKEW > expires_at:
            raise TokenExpired(f"the token of {broker}/{account} has ended: a new login is needed")
        plaintext = self._kms.decrypt(
            CiphertextBlob=row["ciphertext"]["B"],
            EncryptionContext=encryption_context(broker=broker, account=account, user_id=user_id),
        )["Plaintext"]
        return BrokerToken(
            access_token=plaintext.decode(),
            user_id=user_id,
            broker=broker,
            account=account,
            scope=row["scope"]["S"],
            token_type=row["token_type"]["S"],
            attempt_id=attempt_id,
            issued_at=issued_at,
            expires_at=expires_at,
            app_key=row["app_key"]["S"] if "app_key" in row else None,
        )


@dataclass(frozen=True, slots=True)
class _Announced:
    user_id: str
    broker: str
    account: str
    attempt_id: str
    issued_at: int


def _announced(event: Mapping[str, Any] | str) -> _Announced:
    with suppress(ValueError, KeyError, TypeError, OverflowError, RecursionError):
        document = json.loads(event) if isinstance(event, str) else event
        data = document["data"]
        return _Announced(
            _text(data["user_id"]),
            _text(data["broker"]),
            _text(data["account"]),
            _text(document["id"]),
            int(data["issued_at"]),
        )
    # Not in a handler: what was raised there carries the text, and would hang on this as its context.
    raise ValueError("this is not a brokerlink event")


def _text(value: object) -> str:
    # Longer than any of ours, and short enough for every key and encryption context.
    if not isinstance(value, str) or not value.isascii() or not 1 <= len(value) <= 256:
        raise TypeError
    return value
