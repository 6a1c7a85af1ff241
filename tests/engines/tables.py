"""Both tables on an engine, made as the template has them, and logins in every state."""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Self

from brokerlink.attempts import Attempt, Attempts, Identity, Status, digest
from brokerlink.commit import Commits
from brokerlink.secret import Secret
from brokerlink.sessions import Session, Sessions, session_key
from brokerlink.storage import Item, Table, from_wire
from brokerlink.tokens import TokenRecord
from local.aws import Clients
from tests.kit.streams import records_of
from tests.template.stack import source, translate

BROKER, ACCOUNT = "pocketful", "YA0002"
LIFETIME = 3600
_NUMBERS = itertools.count(1)
# What an engine is asked for: encryption and protection are the deployment's business.
_ASKED_FOR = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "StreamSpecification",
)


@dataclass(frozen=True)
class Tables:
    """Both tables: as the library writes them, and as anybody may look into them."""

    attempts: Attempts
    sessions: Sessions
    commits: Commits
    clients: Clients
    attempts_table: Table
    tokens_table: Table

    @classmethod
    def create(cls, clients: Clients) -> Self:
        """Make both anew."""
        number = next(_NUMBERS)
        for resource, properties in _described().items():
            table = {name: properties[name] for name in _ASKED_FOR if name in properties}
            if stream := table.get("StreamSpecification"):
                table["StreamSpecification"] = {"StreamEnabled": True, **stream}
            clients.dynamodb.create_table(TableName=f"{resource}-{number}", **table)
            clients.dynamodb.describe_table(TableName=f"{resource}-{number}")
        # Not the library's own clients: these races are about who wins, and not about an engine that is slow.
        attempts = Table(clients.dynamodb, f"LoginAttemptsTable-{number}")
        tokens = Table(clients.dynamodb, f"TokensTable-{number}")
        return cls(Attempts(attempts), Sessions(attempts), Commits(attempts, tokens), clients, attempts, tokens)

    # logins

    def begun(self, *, user_id: str | None = None, session: str | None = None) -> Attempt:
        """Begin a login."""
        now = int(time.time())
        attempt = Attempt(
            attempt_id=digest(secrets.token_urlsafe()),
            status=Status.PENDING,
            broker=BROKER,
            browser_hash=digest(secrets.token_urlsafe()),
            redirect_uri="https://login.example.com/callback/pocketful",
            expires_at=now + 600,
            ttl=now + 4200,
            user_id=user_id,
            session=session,
            code_verifier=Secret(secrets.token_urlsafe(32)),
        )
        self.attempts.begin(attempt)
        return attempt

    def claimed(self, **begun: Any) -> Attempt:
        """Begin a login and claim it, for half a minute."""
        attempt, now = self.begun(**begun), int(time.time())
        claim = self.attempts.claim(who(attempt), claimed_by=secrets.token_hex(16), claim_expires_at=now + 30, now=now)
        assert claim.row is not None
        return claim.row

    def held(self, user_id: str) -> Attempt:
        """Take a login to the point where the platform has to confirm it."""
        claimed = self.claimed(user_id=user_id)
        record = record_of(claimed)
        held = replace(
            claimed,
            status=Status.HELD,
            held_until=int(time.time()) + 600,
            ciphertext=record.ciphertext,
            scope=record.scope,
            token_type=record.token_type,
            issued_at_ms=record.issued_at_ms,
            account=record.account,
            token_expires_at=record.expires_at,
        )
        kept = self.attempts.hold(held)
        assert kept.done
        assert kept.row is not None
        return kept.row

    def opened(self, user_id: str) -> Session:
        """Open a session."""
        key = session_key(Secret(secrets.token_urlsafe()))
        session = Session(key=key, broker=BROKER, user_id=user_id, expires_at=int(time.time()) + 600)
        self.sessions.open(session)
        return session

    # looking

    def attempt(self, attempt_id: str) -> Item:
        """Give a row of LoginAttempts; empty where there is none."""
        return self.attempts_table.get({"attempt_id": attempt_id}) or {}

    def token(self, user_id: str) -> Item | None:
        """Give the row of Tokens of a user's account."""
        return self.tokens_table.get({"user_id": user_id, "connection": f"{BROKER}#{ACCOUNT}"})

    def issues(self) -> list[dict[str, Any]]:
        """Give what the Tokens table's stream holds, oldest first."""
        description = self.clients.dynamodb.describe_table(TableName=self.tokens_table.name)["Table"]
        return records_of(self.clients, description["LatestStreamArn"])


def who(attempt: Attempt) -> Identity:
    """Give what the right callback shows."""
    return Identity(attempt.attempt_id, attempt.broker, attempt.browser_hash)


def record_of(attempt: Attempt, *, issued_at_ms: int | None = None, expires_at: int | None = None) -> TokenRecord:
    """Give the token that an attempt ends in."""
    now = time.time()
    return TokenRecord(
        user_id=attempt.user_id or f"{BROKER}:{ACCOUNT}",
        broker=attempt.broker,
        account=ACCOUNT,
        ciphertext=b"sealed " + attempt.attempt_id.encode(),
        scope="orders holdings",
        token_type="bearer",
        attempt_id=attempt.attempt_id,
        issued_at_ms=int(now * 1000) if issued_at_ms is None else issued_at_ms,
        expires_at=int(now) + LIFETIME if expires_at is None else expires_at,
    )


def soon() -> float:
    """Give a deadline that leaves every commit its time."""
    return time.monotonic() + 30


def new_image(record: dict[str, Any]) -> Item:
    """Give the row that a stream's record tells of."""
    return from_wire(record["dynamodb"]["NewImage"])


@cache
def _described() -> dict[str, dict[str, Any]]:
    stack = translate(source())
    return {name: stack.properties(name) for name in ("LoginAttemptsTable", "TokensTable")}
