"""The Links table: what outlives a token, so that its owner can be told of it when the token itself is gone.

A row is a connection's last token, without anything secret. Its stream is an outbox, as that of Tokens is: a write that
changes `notice_id` is the event of that name, and announce publishes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from brokerlink.connections import connection
from brokerlink.storage import ConditionFailed, Item, Table, Value, Wire

# Past the longest weekend between two reminders; TTL only cleans up.
KEPT_SECONDS: Final = 7 * 86_400


class Notice(StrEnum):
    """What is told of a link; with the attempt's id before it, it names the event."""

    EXPIRING = "expiring"
    REMINDER = "reminder"
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

    @classmethod
    def from_item(cls, item: Item) -> Link:
        """Read a row."""
        return cls(
            user_id=str(item["user_id"]),
            broker=str(item["broker"]),
            account=str(item["account"]),
            attempt_id=str(item["attempt_id"]),
            connected_until=int(item["connected_until"]),
        )

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
    """The table. Every method that asks it may raise `storage.StorageError`."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def note(self, link: Link, now: int, notice: Notice | None = None) -> bool:
        """Write down a link whose token nears its end, and tell so if `notice` says; once. Says whether this call did.

        A link of a later login is left alone, and so is one on which something is told already.

            run      ── attempt A until t ──▶ written
            run      ── again ✗: A is written already
            old page ── attempt A until t ✗: attempt B is written, and lives longer
        """
        item = link.to_item()
        if notice is not None:
            item |= {"notice_id": link.notice_id(notice), "notice_at": now}
        sets = {name: value for name, value in item.items() if name not in link.key}
        gone = [name for name in ("notice_id", "notice_at", "written_by", "login_url") if name not in sets]
        condition = (
            "attribute_not_exists(#attempt_id) OR (#attempt_id <> :attempt_id AND #connected_until <= :connected_until)"
        )
        if notice is not None:
            condition += " OR (#attempt_id = :attempt_id AND attribute_not_exists(#notice_id))"
        return self._write(
            link,
            f"SET {', '.join(f'#{name} = :{name}' for name in sets)} REMOVE {', '.join(f'#{name}' for name in gone)}",
            condition,
            {f":{name}": value for name, value in sets.items()},
        )

    def remind(self, link: Link, now: int, login_url: str | None) -> bool:
        """Tell, once, that its owner has to log in again, and where. Says whether this call did.

        Not of a link that was ended by somebody: who ended it knows.
        """
        values: dict[str, Value] = {
            ":attempt_id": link.attempt_id,
            ":reminder": link.notice_id(Notice.REMINDER),
            ":revoked": link.notice_id(Notice.REVOKED),
            ":now": now,
        }
        change = "SET #notice_id = :reminder, #notice_at = :now"
        if login_url is not None:
            change += ", #login_url = :login_url"
            values[":login_url"] = login_url
        return self._write(
            link,
            change,
            "#attempt_id = :attempt_id AND (attribute_not_exists(#notice_id)"
            " OR (#notice_id <> :reminder AND #notice_id <> :revoked))",
            values,
        )

    def that_ended(self, after: int, until: int, *, segment: int, segments: int) -> Iterator[Link]:
        """Read, of one segment of the table, the links whose token ended after one epoch second and until another."""
        pages = self.table.pages(
            "Scan",
            FilterExpression="#connected_until > :after AND #connected_until <= :until",
            ExpressionAttributeNames={"#connected_until": "connected_until"},
            ExpressionAttributeValues={":after": {"N": str(after)}, ":until": {"N": str(until)}},
            Segment=segment,
            TotalSegments=segments,
        )
        for page in pages:
            yield from map(Link.from_item, page)

    def _write(self, link: Link, change: str, condition: str, values: dict[str, Value]) -> bool:
        try:
            self.table.update(link.key, change, condition, values)
        except ConditionFailed:
            return False
        return True

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
