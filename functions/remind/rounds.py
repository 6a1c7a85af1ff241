"""Who is to be told that their token will end, and who that they have to log in again: one round for each run.

A run is told when it was scheduled, and goes by that: the same scheduled time concerns the same rows, and each is told
once, so that a run that comes late, twice, or only half of the way does no harm when it is made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from brokerlink.connections import SHARDS, shard_key
from brokerlink.errors import BrokerlinkError
from brokerlink.expiry import IST
from brokerlink.links import Link, Links, Notice
from brokerlink.login_links import LoginLinks
from brokerlink.storage import Item, StorageError, Table
from brokerlink.telemetry import Telemetry

# The schedule's own step: each run looks at the tokens that end in one such span of time.
STEP_SECONDS: Final = 900
# As many as botocore keeps connections for.
_THREADS: Final = 10
_SEGMENTS: Final = 20
_DAY: Final = 86_400
_WANTED: Final = ("user_id", "broker", "account", "attempt_id", "expires_at")


class Unfinished(BrokerlinkError):
    """A part of a round failed; the others were made all the same, and the run may be made again."""


@dataclass(slots=True)
class _Made:
    """What came of a round: how many were told, by broker, and how many of its parts failed."""

    told: Counter[str] = field(default_factory=Counter)
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Makes the rounds. `clock` gives epoch seconds. Every method raises `Unfinished`."""

    tokens: Table
    links: Links
    brokers: Iterable[str]
    login_links: LoginLinks
    telemetry: Telemetry
    clock: Callable[[], float]

    def expiring(self, scheduled: int, lead_seconds: int) -> None:
        """Tell of the tokens that end `lead_seconds` from now on, by the schedule's clock."""
        self._close(
            self._note(scheduled + lead_seconds, Notice.EXPIRING),
            lambda broker, times: self.telemetry.count("expiring", broker, times=times),
        )

    def noting(self, scheduled: int) -> None:
        """Write down, for the next reminder, the links of the tokens that end now."""
        self._close(
            self._note(scheduled + STEP_SECONDS, None),
            lambda broker, times: self.telemetry.count("noted", broker, times=times),
        )

    def reminder(self, scheduled: int) -> None:
        """Remind those whose token ended since the trading day before, and who have no new one."""
        monday = datetime.fromtimestamp(scheduled, IST).weekday() == 0
        after = scheduled - (3 if monday else 1) * _DAY

        def part(segment: int) -> Counter[str]:
            told = Counter[str]()
            for link in self.links.that_ended(after, scheduled, segment=segment, segments=_SEGMENTS):
                url = self.login_links.of(broker=link.broker, account=link.account, user_id=link.user_id)
                if not self._is_connected(link) and self.links.remind(link, int(self.clock()), url):
                    told[link.broker] += 1
            return told

        self._close(
            self._made(range(_SEGMENTS), part),
            lambda broker, times: self.telemetry.count("reminded", broker, times=times),
        )

    def _note(self, until: int, notice: Notice | None) -> _Made:
        until -= until % STEP_SECONDS

        def part(shard: str) -> Counter[str]:
            told = Counter[str]()
            for link in self._that_end(shard, until - STEP_SECONDS, until):
                now = int(self.clock())
                # Of a token that has ended meanwhile there is no warning.
                if self.links.note(link, now, notice if link.connected_until > now else None):
                    told[link.broker] += 1
            return told

        return self._made([shard_key(broker, each) for broker in self.brokers for each in range(SHARDS)], part)

    def _that_end(self, shard: str, after: int, until: int) -> Iterable[Link]:
        """Page through a shard of the index for the tokens that end after one epoch second and until another."""
        pages = self.tokens.pages(
            "Query",
            IndexName="by_broker",
            KeyConditionExpression="#shard = :shard AND #expires_at BETWEEN :first AND :until",
            ProjectionExpression=", ".join(f"#{name}" for name in _WANTED),
            ExpressionAttributeNames={f"#{name}": name for name in ("shard", *_WANTED)},
            ExpressionAttributeValues={
                ":shard": {"S": shard},
                ":first": {"N": str(after + 1)},
                ":until": {"N": str(until)},
            },
        )
        for item in (item for page in pages for item in page if item.keys() >= set(_WANTED)):
            yield _link(item)

    def _is_connected(self, link: Link) -> bool:
        """Say whether a link's owner has a live token again: read consistently, just before they would be told."""
        pages = self.tokens.pages(
            "Query",
            ConsistentRead=True,
            KeyConditionExpression="#user_id = :user_id AND #connection = :connection",
            ProjectionExpression="#expires_at",
            ExpressionAttributeNames={f"#{name}": name for name in (*link.key, "expires_at")},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in link.key.items()},
        )
        return any(int(item.get("expires_at", 0)) > self.clock() for page in pages for item in page)

    def _made[Part](self, parts: Iterable[Part], make: Callable[[Part], Counter[str]]) -> _Made:
        """Make the parts of a round, several at once; one that fails holds up no other."""

        def attempt(part: Part) -> Counter[str] | StorageError:
            try:
                return make(part)
            except StorageError as error:
                return error

        made = _Made()
        with ThreadPoolExecutor(_THREADS) as pool:
            for result in pool.map(attempt, parts):
                if isinstance(result, StorageError):
                    made.failed += 1
                    self.telemetry.logger.warning("round", reason=str(result))
                elif result:
                    made.told += result
                    self.telemetry.logger.info("round", told=made.told.total())
        return made

    def _close(self, made: _Made, count: Callable[[str, int], None]) -> None:
        for broker, times in made.told.items():
            count(broker, times)
        if made.failed:
            self.telemetry.logger.error("unfinished", parts=made.failed)
            raise Unfinished(f"{made.failed} parts of the round were not made")


def _link(item: Item) -> Link:
    return Link(
        user_id=str(item["user_id"]),
        broker=str(item["broker"]),
        account=str(item["account"]),
        attempt_id=str(item["attempt_id"]),
        connected_until=int(item["expires_at"]),
    )
