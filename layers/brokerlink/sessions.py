"""A login that a platform's backend prepared for one of its users: a row beside the attempts.

    OPEN ──a login through it succeeded──▶ USED

Opening the start URL reads the row and changes nothing, so a link preview spoils nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from brokerlink.attempts import digest
from brokerlink.secret import Secret
from brokerlink.storage import Item, Table, Value

SESSION_SECONDS: Final = 600
_PREFIX: Final = "session#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A prepared login. `key` is the row's key, made from the secret in the start URL; times are epoch seconds."""

    key: str
    broker: str
    user_id: str
    expires_at: int
    expected_account: str | None = None
    return_to: str | None = None
    open: bool = True

    def startable(self, broker: str, now: int) -> bool:
        """Say whether a login at `broker` may start through this session now."""
        return self.open and self.broker == broker and now < self.expires_at


def session_key(secret: Secret) -> str:
    """Give the key of a session's row. No state hashes to it: an attempt's key has no `#`."""
    return _PREFIX + digest(secret.reveal())


class Sessions:
    """The sessions in the LoginAttempts table. Every method may raise `storage.StorageError`."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def open(self, session: Session) -> None:
        """Write a new session."""
        item: dict[str, Value | None] = {
            "attempt_id": session.key,
            "status": "OPEN",
            "broker": session.broker,
            "user_id": session.user_id,
            "expires_at": session.expires_at,
            "ttl": session.expires_at + 3600,
            "expected_account": session.expected_account,
            "return_to": session.return_to,
        }
        self.table.put_new({name: value for name, value in item.items() if value is not None}, "attempt_id")

    def read(self, secret: Secret) -> Session | None:
        """Read the session of a start URL consistently."""
        key = session_key(secret)
        item = self.table.get({"attempt_id": key})
        return _from_item(key, item) if item is not None and "user_id" in item else None


def _from_item(key: str, item: Item) -> Session:
    return Session(
        key=key,
        broker=str(item["broker"]),
        user_id=str(item["user_id"]),
        expires_at=int(item["expires_at"]),
        expected_account=_text(item, "expected_account"),
        return_to=_text(item, "return_to"),
        open=item["status"] == "OPEN",
    )


def _text(item: Item, name: str) -> str | None:
    return str(item[name]) if name in item else None
