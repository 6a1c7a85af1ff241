"""A login attempt: its states, and the table that keeps them.

    PENDING ──claim──▶ EXCHANGING ──commit──▶ SUCCEEDED
     ▲   │                │ │  └───hold──▶ HELD ──confirm──▶ SUCCEEDED
     │   │                │ │               └──too late, wrong user──▶ FAILED
     │   │                │ └──failed, claim ran out──▶ FAILED
     └───┼──nothing sent──┘
         └──declined, no grant, expired──▶ FAILED

SUCCEEDED and FAILED are final. Every arrow is one conditional write; `commit` writes the two that end well.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import field, fields, replace
from enum import StrEnum
from typing import Any, Final

from brokerlink.errors import Code
from brokerlink.secret import Secret
from brokerlink.storage import ConditionFailed, Item, Table, Value
from brokerlink.values import dataclass


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
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One trip to a broker and back: a row of LoginAttempts. Times are epoch seconds, `issued_at_ms` milliseconds."""

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
    retry_at: int | None = None

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


@dataclass(frozen=True, slots=True)
class Identity:
    """What a callback must show to touch an attempt: the state it names, its broker, and the browser it began in."""

    attempt_id: str
    broker: str
    browser_hash: str


@dataclass(frozen=True, slots=True)
class Transition:
    """What became of a conditional write: whether it was ours that took place, and the row as it now is."""

    done: bool
    row: Attempt | None


_PENDING_OF_THIS_BROWSER: Final = "#status = :pending AND #broker = :broker AND #browser_hash = :browser_hash"
_MINE: Final = "#status = :exchanging AND #claimed_by = :me"
_KEPT_WHILE_HELD: Final = frozenset(
    {"held_until", "ciphertext", "scope", "token_type", "issued_at_ms", "app_key", "account", "token_expires_at"}
)


class Attempts:
    """The LoginAttempts table. Every method may raise `storage.StorageError`, every write `storage.Conflict`."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def begin(self, attempt: Attempt) -> None:
        """Write a new attempt."""
        self.table.put_new(attempt.to_item(), "attempt_id")

    def read(self, attempt_id: str) -> Attempt | None:
        """Read an attempt consistently. A session's row is no attempt."""
        item = self.table.get({"attempt_id": attempt_id})
        return Attempt.from_item(item) if item is not None and "browser_hash" in item else None

    def claim(self, who: Identity, *, claimed_by: str, claim_expires_at: int, now: int) -> Transition:
        """Take the attempt for this invocation, if browser, broker and clock fit.

        callback A   ── claim ──▶ EXCHANGING by A ── exchange ── commit
        callback B   ─────── claim ✗ (not PENDING): answers from the row that it met
        forged C     ── claim ✗ (browser differs): PENDING stays PENDING, A can still come
        A's own SDK  ── claim, answer lost, claim again ✗, but the row says claimed_by A: A has won
        """
        done = self._write(
            who.attempt_id,
            "SET #status = :exchanging, #claimed_by = :me, #claim_expires_at = :until",
            f"{_PENDING_OF_THIS_BROWSER} AND #expires_at > :now",
            _identity(who)
            | {":exchanging": Status.EXCHANGING, ":me": claimed_by, ":until": claim_expires_at, ":now": now},
        )
        row = done.row
        won_before = row is not None and row.status is Status.EXCHANGING and row.claimed_by == claimed_by
        return replace(done, done=done.done or won_before)

    def release(self, attempt_id: str, *, claimed_by: str) -> Transition:
        """Give a claim back: the grant was not sent, so the same callback may come again."""
        return self._write(
            attempt_id,
            "SET #status = :pending REMOVE #claimed_by, #claim_expires_at",
            _MINE,
            {":pending": Status.PENDING, ":exchanging": Status.EXCHANGING, ":me": claimed_by},
        )

    def fail_pending(self, who: Identity, code: Code, *, now: int) -> Transition:
        """End an attempt whose callback brought no grant, under the claim's own condition."""
        return self._write(
            who.attempt_id,
            "SET #status = :failed, #error = :error REMOVE #code_verifier",
            f"{_PENDING_OF_THIS_BROWSER} AND #expires_at > :now",
            _identity(who) | {":failed": Status.FAILED, ":error": code, ":now": now},
        )

    def fail_claimed(self, attempt_id: str, code: Code, *, claimed_by: str, retry_at: int | None = None) -> Transition:
        """End the claimant's own attempt.

        A ── commit (no answer) ──?── FAILED: condition "EXCHANGING by A"
             commit landed first  →  ✗, the row says SUCCEEDED: that is the truth
             FAILED landed first  →  a commit that arrives late fails its own condition
        """
        change = "SET #status = :failed, #error = :error"
        values: dict[str, Value] = {
            ":failed": Status.FAILED,
            ":error": code,
            ":exchanging": Status.EXCHANGING,
            ":me": claimed_by,
        }
        if retry_at is not None:
            change += ", #retry_at = :retry_at"
            values[":retry_at"] = retry_at
        return self._write(attempt_id, f"{change} REMOVE #code_verifier", _MINE, values)

    def hold(self, held: Attempt) -> Transition:
        """Keep a sealed token with the attempt until the platform says who is present.

        `held` is the claimed attempt with everything that its commit will need; the condition is the claimant's.
        """
        if held.claimed_by is None:
            raise ValueError("only a claimed attempt can be held")
        kept = {name: value for name, value in held.to_item().items() if name in _KEPT_WHILE_HELD}
        sets = ", ".join(f"#{name} = :{name}" for name in kept)
        values = {f":{name}": value for name, value in kept.items()}
        return self._write(
            held.attempt_id,
            f"SET #status = :held, {sets} REMOVE #code_verifier",
            _MINE,
            values | {":held": Status.HELD, ":exchanging": Status.EXCHANGING, ":me": held.claimed_by},
        )

    def end_hold(self, attempt_id: str, code: Code) -> Transition:
        """End a held login that will not be confirmed, and remove its ciphertext.

        confirm ── commit: condition HELD ──▶ SUCCEEDED     whichever lands first wins;
        end     ── FAILED: condition HELD ──▶ FAILED        the other meets a row that is not HELD
        """
        return self._write(
            attempt_id,
            "SET #status = :failed, #error = :error REMOVE #ciphertext",
            "#status = :held",
            {":failed": Status.FAILED, ":error": code, ":held": Status.HELD},
        )

    def settle(self, row: Attempt, now: int) -> Transition:
        """Write what the clock has already decided about `row`; where that is nothing, the row is left as it is.

        A's claim runs out ── settle by B: condition "EXCHANGING by A until t", as B saw it ──▶ FAILED
        A commits at the last moment ──▶ B's condition fails, and B answers from A's row
        """
        match row.status, row.standing(now)[0]:
            case Status.PENDING, Standing.FAILED:
                ended = self._write(
                    row.attempt_id,
                    "SET #status = :failed, #error = :error REMOVE #code_verifier",
                    f"{_PENDING_OF_THIS_BROWSER} AND #expires_at <= :now",
                    _identity(Identity(row.attempt_id, row.broker, row.browser_hash))
                    | {":failed": Status.FAILED, ":error": Code.EXPIRED, ":now": now},
                )
            case Status.EXCHANGING, Standing.FAILED:
                ended = self._write(
                    row.attempt_id,
                    "SET #status = :failed, #error = :error REMOVE #code_verifier",
                    f"{_MINE} AND #claim_expires_at = :until",
                    {
                        ":failed": Status.FAILED,
                        ":error": Code.OUTCOME_UNKNOWN,
                        ":exchanging": Status.EXCHANGING,
                        ":me": row.claimed_by or "",
                        ":until": row.claim_expires_at or 0,
                    },
                )
            case Status.HELD, Standing.FAILED:
                ended = self.end_hold(row.attempt_id, Code.EXPIRED)
            case _:
                return Transition(done=False, row=row)
        return ended

    def _write(self, attempt_id: str, change: str, condition: str, values: dict[str, Value]) -> Transition:
        try:
            item = self.table.update({"attempt_id": attempt_id}, change, condition, values)
        except ConditionFailed as failed:
            is_attempt = failed.item is not None and "browser_hash" in failed.item
            return Transition(done=False, row=Attempt.from_item(failed.item) if failed.item and is_attempt else None)
        return Transition(done=True, row=Attempt.from_item(item))


def _identity(who: Identity) -> dict[str, Value]:
    return {":pending": Status.PENDING, ":broker": who.broker, ":browser_hash": who.browser_hash}
