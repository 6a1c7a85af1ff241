"""Who logs in when, and what happens to them on the way: the same each time for the same numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

ACCOUNTS = {"pocketful": "YA0002", "fivepaisa": "50052770"}


class Way(StrEnum):
    """How a login goes, as far as the customer and others have a hand in it."""

    PLAIN = "plain"
    DOUBLE_CLICK = "double click"
    FORGED = "forged callback"
    DECLINED = "declined"


# Of twenty customers, so many.
_OF_TWENTY = {Way.PLAIN: 15, Way.DOUBLE_CLICK: 2, Way.FORGED: 2, Way.DECLINED: 1}


@dataclass(frozen=True, slots=True)
class Planned:
    """One login: `at` is in seconds after the start of the burst."""

    user_id: str
    broker: str
    way: Way
    at: float


def planned(logins: int, rate: float) -> Iterator[Planned]:
    """Plan logins that come independently of each other (a Poisson process), `rate` a second on average."""
    chance = random.Random(logins)  # noqa: S311 - a load, not a secret
    ways = [way for way, number in _OF_TWENTY.items() for _ in range(number)]
    at = 0.0
    for number in range(logins):
        if number % len(ways) == 0:
            chance.shuffle(ways)
        yield Planned(
            user_id=f"customer-{number:05}",
            broker=chance.choice(sorted(ACCOUNTS)),
            way=ways[number % len(ways)],
            at=at,
        )
        at += chance.expovariate(rate)
