"""The Links table: what outlives a token, so that its owner can be told of it when the token itself is gone.

A row is a connection's last token, without anything secret. Its stream is an outbox, as that of Tokens is: a write that
changes `notice_id` is the event of that name, and announce publishes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from brokerlink.connections import connection
from brokerlink.storage import Table, Value, Wire

# Past the longest weekend between two reminders; TTL only cleans up.
KEPT_SECONDS: Final = 7 * 86_400


class Notice(StrEnum):
    """What is told of a link; with the attempt's id before it, it names the event."""

    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A user's link to a broker account, as the attempt made it. `connected_until` is in epoch seconds."""

    user_id: str
    broker: str
    account: str
    attempt_id: str
    connected_until: int

    @property
    def key(self) -> dict[str, str]:
        """Its row's key, here and in Tokens."""
        return {"user_id": self.user_id, "connection": connection(self.broker, self.account)}

    def notice_id(self, notice: Notice) -> str:
        """Give the id of the event that tells of it."""
        return f"{self.attempt_id}.{notice}"

    def to_item(self) -> dict[str, Value]:
        """Give the row, on which nothing is told yet."""
        return {
            **self.key,
            "broker": self.broker,
            "account": self.account,
            "attempt_id": self.attempt_id,
            "connected_until": self.connected_until,
            "ttl": self.connected_until + KEPT_SECONDS,
        }


class Links:
    """The table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def revoking(self, link: Link, now: int, *, written_by: str) -> Wire:
        """Give the write that tells of a link's end, as one of a transaction; refused where it is there already."""
        told: dict[str, Value] = {
            "notice_id": link.notice_id(Notice.REVOKED),
            "notice_at": now,
            "written_by": written_by,
        }
        return self.table.putting(
            link.to_item() | told,
            "attribute_not_exists(#written_by) OR #written_by <> :written_by",
            {":written_by": written_by},
        )
