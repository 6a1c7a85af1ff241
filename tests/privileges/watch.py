"""The local stack for any test that walks over HTTP, with an eye on what its functions ask of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.emulator import Engine
from local.moto_engine import Moto
from local.stack import Stack
from tests.privileges.comparison import compare
from tests.privileges.recorder import Recorder
from tests.privileges.resources import Resources, resources_of
from tests.privileges.roles import CALLERS
from tests.template.stack import consumer_source, source, translate


@dataclass(frozen=True)
class Watched:
    """A running stack, the recorder of what its functions ask for, and the ARNs of what they ask it on."""

    stack: Stack
    recorder: Recorder
    resources: Resources


@contextmanager
def watched(engine: Engine | None = None, **settings: Any) -> Iterator[Watched]:
    """Run the local stack; fail at its end if a function asked for something that its role does not allow."""
    recorder = Recorder(engine or Moto(), CALLERS)
    with Stack(engine=recorder, **settings) as stack:
        main, consumer = translate(source(), **settings.get("parameters", {})), translate(consumer_source())
        resources = resources_of(stack, main, consumer)
        yield Watched(stack, recorder, resources)
        outside = compare(recorder.calls, main, consumer, resources).outside
        assert not outside, outside


@contextmanager
def watched_stack(engine: Engine | None = None, **settings: Any) -> Iterator[Stack]:
    """Run the local stack under the same eye, for who has no questions about it."""
    with watched(engine, **settings) as running:
        yield running.stack
