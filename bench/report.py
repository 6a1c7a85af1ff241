"""A load's figures, as a person reads them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.customer import Walked
from bench.driver import PROCESSES
from bench.plan import Planned, Way
from bench.verdict import Verdict

_SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "worst": 1.0}
_SHOWN = 5


@dataclass(frozen=True)
class Burst:
    """What was walked, how much of a core each driver used, and how many processes of each function it started."""

    walks: Sequence[Walked]
    busy: float
    starts: Mapping[str, int]


def percentile(seconds: Sequence[float], share: float) -> float:
    """Give the time that this share of them was within, by the nearest rank; 0 where there are none."""
    ranked = sorted(seconds)
    return ranked[max(1, math.ceil(share * len(ranked))) - 1] if ranked else 0.0


def lines(plan: Sequence[Planned], burst: Burst, verdict: Verdict) -> Iterator[str]:
    """Give the report line by line."""
    whole = [walk for walk in burst.walks if not walk.surprise]
    seconds = max((walk.ended for walk in burst.walks), default=0.0)
    busiest = Counter(int(walk.ended) for walk in whole).most_common(1)
    ways = Counter(planned.way for planned in plan)
    yield (
        f"{len(whole)} of {len(plan)} logins walked to their end in {seconds:.1f} s:"
        f" {len(whole) / max(seconds, 0.001):.1f} a second, {busiest[0][1] if busiest else 0} in the busiest"
    )
    yield f"cold starts: {', '.join(f'{number} of {name}' for name, number in burst.starts.items())}"
    yield f"{PROCESSES} drivers, each using {burst.busy:.0%} of a core"
    yield ""
    yield f"{'seconds':<10}" + "".join(f"{name:>9}" for name in _SHARES)
    for name, found in {
        "start": [walk.start for walk in whole],
        "callback": [walk.callback for walk in whole],
        "login": [walk.login for walk in whole],
        "late": [walk.late for walk in burst.walks],
    }.items():
        yield f"{name:<10}" + "".join(f"{percentile(found, share):>9.3f}" for share in _SHARES.values())
    yield ""
    yield f"{verdict.connected} connected, {verdict.declined} declined"
    yield f"{verdict.exchanges} exchanges, {verdict.events} events"
    yield f"among them {ways[Way.DOUBLE_CLICK]} double clicks and {ways[Way.FORGED]} forged callbacks"
    for name, cases in verdict.wrong.items():
        yield f"{name}: {len(cases)}"
        for case in cases[:_SHOWN]:
            yield f"    {case}"
