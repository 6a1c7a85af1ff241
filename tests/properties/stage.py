"""A world in which things go wrong at a chosen moment, and every answer is looked at before anybody gets it."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, override

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

import authorize_app
import callback_app
from brokerlink.aws import TooLate
from brokerlink.outbound import Outbound
from brokerlink.telemetry import Telemetry
from tests.kit import emulated
from tests.kit.world import SECRETS, Reply, World
from tests.properties.brokers import BrokersAsTold, Crash

# Accounts that may log in without a session.
DIRECT_ACCOUNTS = ("YA0002", "50052770")
_NUMBERS = itertools.count()

type Operation = Literal["UpdateItem", "TransactWriteItems", "Encrypt", "GetItem", "GetSecretValue"]


@dataclass(frozen=True)
class Mishap:
    """What befalls the `number`th call of an AWS operation within one invocation.

    `down`: it is not carried out, and fails. `conflict`: DynamoDB refuses it for another transaction's sake. Both meet
    as many calls as `times` says. `lost`: it is carried out, and its answer lost. `crash before`, `crash after`: the
    process ends there. `slow`: other things happen before it arrives.
    """

    operation: Operation
    number: int
    kind: Literal["down", "conflict", "lost", "crash before", "crash after", "slow"]
    times: int = 1
    meanwhile: Callable[[], None] | None = None

    def at(self, operation: Operation, number: int = 1) -> str | None:
        """Give the kind, if it befalls this call."""
        return self.kind if (self.operation, self.number) == (operation, number) else None


class Stage(World):
    """The world of the kit, with mishaps, brokers that do as they are told, and sleep that is time passing."""

    def __init__(self) -> None:
        self._random = itertools.count()
        self._mishap: Mishap | None = None
        self._next_mishap: Mishap | None = None
        self._calls = Counter[str]()
        self._no_try_after = float("inf")
        self.brokers: BrokersAsTold | None = None
        super().__init__(BROKERLINK_DIRECT_LOGIN_ACCOUNTS=",".join(DIRECT_ACCOUNTS))
        self.dynamodb.update_table(
            TableName="Tokens", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        )

    def build(self) -> None:
        """Put both functions together, as a cold start does, with a count in the place of randomness."""
        if self.brokers is None:
            self.brokers = BrokersAsTold(self.clock)
        telemetry = Telemetry(Logger(service=f"stage-{next(_NUMBERS)}", stream=self.log, level="DEBUG"))
        given: dict[str, Any] = {"clock": self.clock, "monotonic": self.clock, "random_bytes": self._random_bytes}
        self.functions = {
            "authorize": authorize_app.make_app(self.environment, telemetry, self.aws, **given),
            "callback": callback_app.make_app(
                self.environment,
                telemetry,
                self.aws,
                cast("Outbound", self.brokers),
                sleep=self.clock.sleep,
                **given,
            ),
        }

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] = {},
        cookies: list[str] | None = None,
        body: str | None = None,
    ) -> Reply:
        """Send a request as the gateway would; the mishap that was lined up befalls it."""
        # Another request may arrive while one is at the broker: each has its own count and its own time.
        kept = (self._mishap, self._calls, self.aws.no_try_after)
        self._mishap, self._next_mishap = self._next_mishap, None
        self._calls = Counter()
        try:
            reply = super().request(method, target, headers=headers, cookies=cookies, body=body)
        finally:
            self._mishap, self._calls, self.aws.no_try_after = kept
        check_headers(reply)
        return reply

    def befall(self, mishap: Mishap | None) -> None:
        """Line up a mishap for the next request."""
        self._next_mishap = mishap

    def rotate_secret(self, secret: str) -> None:
        """Change Pocketful's secret, at the broker and in Secrets Manager."""
        secrets = {**SECRETS, "pocketful": {"client_secret": secret}}
        self.secretsmanager.put_secret_value(SecretId=self.secret, SecretString=json.dumps(secrets))
        self.told.secret = secret

    @property
    def told(self) -> BrokersAsTold:
        assert self.brokers is not None
        return self.brokers

    def rows(self) -> dict[str, dict[str, Any]]:
        """Give the rows of LoginAttempts by their key."""
        return {row["attempt_id"]: row for row in emulated.rows("LoginAttempts")}

    def remove(self, table: str, **key: str) -> None:
        """Remove a row, as DynamoDB does some time after its `ttl`."""
        self.dynamodb.delete_item(TableName=table, Key={name: {"S": value} for name, value in key.items()})

    def open_token(self, row: Mapping[str, Any]) -> str:
        """Decrypt a row's ciphertext under the row's own context."""
        context = {"purpose": "broker-access-token", **{name: row[name] for name in ("broker", "account", "user_id")}}
        return self.kms.decrypt(CiphertextBlob=row["ciphertext"], EncryptionContext=context)["Plaintext"].decode()

    @override
    def called(self, operation: str, parameters: Mapping[str, Any]) -> None:
        super().called(operation, parameters)
        # As on the wire, where nothing is carried out after this: moto would see the call first.
        if self.clock() > self.aws.no_try_after:
            raise TooLate
        self._calls[operation] += 1
        if (mishap := self._befallen(operation)) is None:
            return
        match mishap.kind:
            case "crash before":
                raise Crash
            case "down":
                raise ConnectTimeoutError(endpoint_url="https://aws.example.com")
            case "conflict":
                raise _conflict(operation)
            case "slow" if mishap.meanwhile is not None:
                self.told.aside(mishap.meanwhile)
                # It is on its way already: no time that has passed can stop it.
                self._no_try_after, self.aws.no_try_after = self.aws.no_try_after, float("inf")

    @override
    def answered(self, operation: str) -> None:
        if (mishap := self._befallen(operation)) is None:
            return
        if mishap.kind == "crash after":
            raise Crash
        if mishap.kind == "slow":
            self.aws.no_try_after = self._no_try_after
        if mishap.kind == "lost":
            raise ReadTimeoutError(endpoint_url="https://aws.example.com")

    def _befallen(self, operation: str) -> Mishap | None:
        mishap = self._mishap
        if mishap is None or mishap.operation != operation:
            return None
        return mishap if 0 <= self._calls[operation] - mishap.number < mishap.times else None

    def _random_bytes(self, size: int) -> bytes:
        return hashlib.shake_256(str(next(self._random)).encode()).digest(size)


def _conflict(operation: str) -> ClientError:
    if operation == "TransactWriteItems":
        reasons: Any = [{"Code": "TransactionConflict"}, {"Code": "None"}]
        refusal: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    else:
        refusal = {"Error": {"Code": "TransactionConflictException"}}
    return ClientError(refusal, operation)


def check_headers(reply: Reply) -> None:
    """Check the headers that every answer carries."""
    headers = reply.headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not [name for name in headers if name.lower().startswith("access-control")]
    assert reply.payload["isBase64Encoded"] is False
