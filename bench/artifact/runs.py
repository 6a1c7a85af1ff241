"""Measures every function in every variant, in turn, again and again: what disturbs one run disturbs all alike."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields

from bench.artifact.logins import (
    Event,
    Logins,
    check_announced,
    check_connected,
    check_finished,
    check_started,
)
from bench.artifact.process import Process
from bench.artifact.raw import RawCallback, Tap
from bench.artifact.world import World

type Subject = tuple[str, str]


@dataclass
class Samples:
    """What was measured of one function in one variant: seconds, and MB of memory."""

    cold: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    @classmethod
    def joined(cls, parts: Iterable[Samples]) -> Samples:
        """Give the samples of all parts together."""
        every = list(parts)
        return cls(*([value for part in every for value in getattr(part, each.name)] for each in fields(cls)))


@dataclass
class Measured:
    """All samples, and the seconds that a callback's requests take as raw HTTP."""

    samples: dict[Subject, Samples] = field(default_factory=lambda: defaultdict(Samples))
    raw: list[float] = field(default_factory=list)


def measure(world: World, tap: Tap, *, runs: int, warm: int, progress: Callable[[str], None]) -> Measured:
    """Run each function `runs` times, from its cold start through `warm` invocations."""
    measured = Measured()
    chance = random.Random(runs)  # noqa: S311 - an order, not a secret
    with ExitStack() as running:
        logins = {}
        for variant in ("ours", "naive", "peer"):
            starter = running.enter_context(Process(world.functions["authorize", variant]))
            starter.cold_start()
            logins[variant] = Logins(starter)
            running.callback(logins[variant].close)
        subjects = list(world.functions)
        for run in range(runs):
            chance.shuffle(subjects)
            for subject in subjects:
                _run(world, subject, logins, warm, measured.samples[subject])
            with RawCallback(tap, world.place.emulator.url, world.place.simulators) as raw:
                for _ in range(warm):
                    measured.raw.append(raw.finish(logins["ours"].callback()))
            progress(f"run {run + 1} of {runs}")
    return measured


def _run(world: World, subject: Subject, logins: Mapping[str, Logins], warm: int, samples: Samples) -> None:
    next_event, check = _work(subject, logins)
    with Process(world.functions[subject]) as process:
        samples.cold.append(process.cold_start())
        seconds, response = process.invoke(next_event())
        check(response)
        samples.first.append(seconds)
        for _ in range(warm):
            seconds, response = process.invoke(next_event())
            check(response)
            samples.warm.append(seconds)
        samples.memory.append(process.peak_memory())


def _work(subject: Subject, logins: Mapping[str, Logins]) -> tuple[Callable[[], Event], Callable[[object], None]]:
    """Give where a function's events come from, and what makes sure that it did its work."""
    short, variant = subject
    if variant == "empty":
        return logins["ours"].start, lambda _: None
    own = logins[variant]
    match short:
        case "authorize":
            return own.start, check_started
        case "callback":
            return own.callback, check_connected if variant == "ours" else check_finished
    return own.stream, check_announced
