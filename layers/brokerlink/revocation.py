"""A user's live connections, and the end of one before its broker's day ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brokerlink.connections import connection
from brokerlink.links import Link, Links
from brokerlink.retries import retry
from brokerlink.storage import Item, Table, TransactionRefused, transact

_SHOWN = ("broker", "account", "attempt_id", "scope", "issued_at_ms", "expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A live token, seen from outside. Times are epoch seconds."""

    broker: str
    account: str
    attempt_id: str
    scope: str
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Reads and ends connections. Every method may raise `StorageError`.

    `clock` gives epoch seconds, `monotonic` is the clock of `deadline`, `sleep` takes seconds; `new_name` gives a
    random text of at most 36 characters.
    """

    tokens: Table
    links: Links
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    new_name: Callable[[], str]

    def of_user(self, user_id: str) -> Iterator[Connection]:
        """Read a user's live connections, consistently, page by page; the ciphertext is not asked for."""
        pages = self.tokens.pages(
            "Query",
            ConsistentRead=True,
            KeyConditionExpression="#user_id = :user_id",
            ProjectionExpression=", ".join(f"#{name}" for name in _SHOWN),
            ExpressionAttributeNames={f"#{name}": name for name in ("user_id", *_SHOWN)},
            ExpressionAttributeValues={":user_id": {"S": user_id}},
        )
        for item in (item for page in pages for item in page):
            if self._lives(item):
                yield Connection(
                    broker=str(item["broker"]),
                    account=str(item["account"]),
                    attempt_id=str(item["attempt_id"]),
                    scope=str(item["scope"]),
                    issued_at=int(item["issued_at_ms"]) // 1000,
                    expires_at=int(item["expires_at"]),
                )

    def revoke(self, user_id: str, broker: str, account: str, *, deadline: float) -> Link | None:
        """End a connection: its token is gone for readers when this returns. None where there is no live one.

            delete the token, if it is still this attempt's + tell so on its link    (one transaction)
            A ── lands, answer lost; again ✗: the link already shows A's name, so A has done it
            A ── ✗ a later login has taken its place: read again, and that one is ended

        Until `deadline` a write without an answer is made again. The link is given as it ended: until now.
        """
        key = {"user_id": user_id, "connection": connection(broker, account)}
        while True:
            item = self.tokens.get(key)
            if item is None or not self._lives(item):
                return None
            now, name = int(self.clock()), self.new_name()
            link = Link(
                user_id=user_id,
                broker=broker,
                account=account,
                attempt_id=str(item["attempt_id"]),
                connected_until=now,
            )
            if self._revoke(link, now, name, deadline):
                return link

    def _revoke(self, link: Link, now: int, name: str, deadline: float) -> bool:
        mine = {":attempt_id": link.attempt_id}
        writes = [
            self.tokens.deleting(link.key, "#attempt_id = :attempt_id", mine),
            self.links.revoking(link, now, written_by=name),
        ]
        try:
            retry(
                lambda: transact(self.tokens.client, writes, name),
                deadline=deadline,
                sleep=self.sleep,
                monotonic=self.monotonic,
            )
        except TransactionRefused as refused:
            return refused.failed[1]
        return True

    def _lives(self, item: Item) -> bool:
        # A row that callback has not written is no connection.
        return item.keys() >= set(_SHOWN) and int(item["expires_at"]) > self.clock()
