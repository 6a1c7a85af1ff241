"""From samples to figures, and from figures to what was budgeted."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

from bench.artifact.runs import Measured, Samples
from bench.artifact.world import FUNCTIONS, VARIANTS, Size
from bench.report import percentile

BUDGETS = Path(__file__).parent.parent / "budgets.toml"
# The empty handler's cold starts differ by less than this share of their median on a machine that does nothing else.
_QUIET = 0.15
_MB = 1024 * 1024
_FIRST = {"authorize": "start", "callback": "login", "announce": "batch"}


@dataclass(frozen=True)
class Figure:
    """A figure of a function, and the same of the empty handler, the naive version and the peer, and as raw HTTP."""

    what: str
    unit: str
    ours: float
    empty: float | None = None
    naive: float | None = None
    peer: float | None = None
    raw: float | None = None

    def ratio(self, to: str) -> float | None:
        """Give the figure as a multiple of another variant's."""
        other: float | None = getattr(self, to)
        return None if not other else self.ours / other


@dataclass(frozen=True)
class Verdict:
    """A budgeted figure: `measure` names the unit, or to what the value is a ratio."""

    what: str
    measure: str
    value: float
    budget: float

    @property
    def within(self) -> bool:
        """Say whether the value is not above its budget."""
        return self.value <= self.budget


def figures(measured: Measured, sizes: Mapping[tuple[str, str], Size], layers: int) -> Iterator[Figure]:
    """Give every figure; `layers` is the zipped size of all layers together, in bytes."""
    # One and the same, whatever it stands beside.
    empty = Samples.joined(measured.samples[short, "empty"] for short in FUNCTIONS)
    for short in FUNCTIONS:
        variants = [variant for variant in VARIANTS if (short, variant) in measured.samples]
        each = [empty if variant == "empty" else measured.samples[short, variant] for variant in variants]
        yield Figure(f"cold start of {short}", "ms", *(_milliseconds(one.cold) for one in each))
        yield Figure(f"first invocation of {short}", "ms", *(_milliseconds(one.first) for one in each))
        together = [[cold + first for cold, first in zip(one.cold, one.first, strict=True)] for one in each]
        yield Figure(f"cold start and first {_FIRST[short]} of {short}", "ms", *map(_milliseconds, together))
        warm = Figure(f"warm invocation of {short}", "ms", *(_milliseconds(one.warm) for one in each))
        yield replace(warm, raw=_milliseconds(measured.raw)) if short == "callback" else warm
        yield Figure(f"warm invocation of {short}, 99 %", "ms", *(_milliseconds(one.warm, 0.99) for one in each))
        yield Figure(f"peak memory of {short}", "MB", *(max(one.memory) for one in each))
        own = [sizes[short, variant] for variant in variants if (short, variant) in sizes]
        yield Figure(f"zipped size of {short}", "MB", *(size.zipped / _MB for size in own))
        yield Figure(f"unzipped size of {short}", "MB", *(size.unzipped / _MB for size in own))
    yield Figure("zipped layers", "MB", layers / _MB)


def verdicts(found: Sequence[Figure], file: Path = BUDGETS) -> Iterator[Verdict]:
    """Hold the figures against the budgets. Raises KeyError for a budget of what is not measured."""
    by_name = {figure.what: figure for figure in found}
    for budget in tomllib.loads(file.read_text(encoding="utf-8"))["budget"]:
        figure = by_name[budget.pop("what")]
        for key, limit in budget.items():
            if key == "at_most":
                yield Verdict(figure.what, figure.unit, figure.ours, limit)
            else:
                ratio = figure.ratio(key.removeprefix("to_"))
                if ratio is None:
                    raise KeyError(f"{figure.what} {key}")
                yield Verdict(figure.what, key.replace("_", " "), ratio, limit)


def noise(measured: Measured) -> str:
    """Say what disturbed the figures; empty on a quiet machine."""
    cold = [second for short in FUNCTIONS for second in measured.samples[short, "empty"].cold]
    low, middle, high = quantiles(cold, n=4) if len(cold) > 1 else (0.0, 1.0, 0.0)
    spread, load, cores = (high - low) / middle, os.getloadavg()[0], os.cpu_count() or 1
    if spread < _QUIET and load < cores:
        return ""
    return (
        f"the machine was noisy: the middle half of the empty handler's cold starts spreads over {spread:.0%} of their"
        f" median, and {load:.1f} processes wanted to run on {cores} cores; ratios suffer less than times"
    )


def _milliseconds(seconds: Sequence[float], share: float = 0.5) -> float:
    return 1000 * percentile(seconds, share)
