"""One trip to a broker and back, as a value: its row, its states, and how it reads by the clock."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from brokerlink.errors import Code
from brokerlink.secret import Secret
from brokerlink.storage import Item, Value


class Status(StrEnum):
    """The state of an attempt, as stored."""

    PENDING = "PENDING"
    EXCHANGING = "EXCHANGING"
    HELD = "HELD"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Standing(StrEnum):
    """The state of an attempt as it reads by the clock, in the words of `/result` and `/attempts`."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    CONFIRM = "confirm"
    CONNECTED = "connected"
    FAILED = "failed"


def digest(secret: str) -> str:
    """Give base64url(sha256(text)) without padding: the name under which a secret's row is kept."""
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).removesuffix(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A row of LoginAttempts. Times are epoch seconds, `issued_at_ms` milliseconds.

    `failed_step` says where in the login it failed. `claimed_by` and `failed_by` are random names of who wrote the
    claim and the failure: by them a writer whose answer was lost recognises its own work.
    """

    attempt_id: str
    status: Status
    broker: str
    browser_hash: str
    redirect_uri: str
    expires_at: int
    ttl: int
    user_id: str | None = None
    expected_account: str | None = None
    return_to: str | None = None
    session: str | None = None
    code_verifier: Secret | None = None
    claimed_by: str | None = None
    claim_expires_at: int | None = None
    held_until: int | None = None
    ciphertext: bytes | None = field(default=None, repr=False)
    scope: str | None = None
    token_type: str | None = None
    issued_at_ms: int | None = None
    app_key: str | None = None
    account: str | None = None
    token_expires_at: int | None = None
    error: str | None = None
    failed_step: str | None = None
    retry_at: int | None = None
    failed_by: str | None = None

    def standing(self, now: int) -> tuple[Standing, Code | None]:
        """Read the attempt by the clock: whether a deadline has passed never depends on its having been written."""
        match self.status:
            case Status.PENDING if now >= self.expires_at:
                return Standing.FAILED, Code.EXPIRED
            case Status.PENDING:
                return Standing.PENDING, None
            case Status.EXCHANGING if now >= (self.claim_expires_at or 0):
                return Standing.FAILED, Code.OUTCOME_UNKNOWN
            case Status.EXCHANGING:
                return Standing.IN_PROGRESS, None
            case Status.HELD if now >= (self.held_until or 0):
                return Standing.FAILED, Code.EXPIRED
            case Status.HELD:
                return Standing.CONFIRM, None
            case Status.SUCCEEDED if now >= (self.token_expires_at or 0):
                return Standing.FAILED, Code.EXPIRED
            case Status.SUCCEEDED:
                return Standing.CONNECTED, None
            case Status.FAILED:
                return Standing.FAILED, Code(self.error or Code.INTERNAL)

    def to_item(self) -> dict[str, Value]:
        """Give the row; what is None is not stored."""
        item: dict[str, Value] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Secret):
                item[each.name] = value.reveal()
            elif value is not None:
                item[each.name] = value
        return item

    @classmethod
    def from_item(cls, item: Item) -> Attempt:
        """Read a row; attributes of a later version are ignored."""
        known = {each.name for each in fields(cls)}
        values: dict[str, Any] = {name: value for name, value in item.items() if name in known}
        values["status"] = Status(values["status"])
        if "code_verifier" in values:
            values["code_verifier"] = Secret(values["code_verifier"])
        return cls(**values)
