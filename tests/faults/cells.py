"""The matrix: every step with every fault, and what each cell comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.aftermath import live_through
from tests.faults.aws_faults import FAULTS, faults_of
from tests.faults.broker_faults import AT
from tests.faults.brokers import Endpoint, FaultyBrokers
from tests.faults.journey import Journey
from tests.faults.line import Aim, Point, Scope
from tests.faults.scene import Scene, scene
from tests.faults.steps import STEPS, Step
from tests.faults.stream_faults import HANDOVERS

_ALWAYS = 99


@dataclass(frozen=True)
class Cell:
    """One step, one fault of its table, by name, and how long it lasts."""

    step: Step
    fault: str
    scope: Scope

    def __str__(self) -> str:
        return f"{self.step.title}: {self.fault}, {self.scope}"


@dataclass(frozen=True)
class Outcome:
    """What a cell comes to; each field is a column of the document."""

    status: str
    leads_to: str
    page: str
    attempt: str
    error: str
    metrics: str
    later: str
    token_requests: str
    identity_requests: str
    token: str
    event: str


def cells() -> Iterator[Cell]:
    """Give every cell."""
    for step in STEPS:
        for fault in faults_at(step):
            for scope in step.scopes:
                # Reads meet no conflict, so it cannot be all of the service's calls that do.
                if (fault, scope) != ("conflict", Scope.SERVICE):
                    yield Cell(step, fault, scope)


def faults_at(step: Step) -> list[str]:
    """Give the names of all that can go wrong at a step."""
    match step.at:
        case Endpoint():
            return list(AT[step.at])
        case Point():
            return faults_of(step.at.operation)
        case None:
            return list(HANDOVERS)


def run(cell: Cell, brokers: FaultyBrokers) -> Outcome:
    """Walk a login into a cell and out of it again. Raises `AssertionError` where an invariant does not hold."""
    step = cell.step
    with scene(brokers) as place:
        journey = Journey(place, step.broker, declines=step.declines)
        step.reach(journey)
        _arm(cell, place)
        counted = len(place.metrics)
        seen = step.request(journey)
        place.mend()
        row = journey.row or next(iter(place.attempts()), {})
        metrics = ", ".join(place.metrics[counted:]) or "none"
        later = live_through(journey, step.request, resent=int(_rotates(cell)))
        return Outcome(
            status=seen.status,
            leads_to=seen.leads_to,
            page=seen.page,
            attempt=row.get("status", "none"),
            error=row.get("error", seen.error),
            metrics=metrics,
            later=later.page,
            token_requests=str(len(brokers.seen)),
            identity_requests=str(brokers.asked),
            token="yes" if place.tokens() else "no",
            event=later.event,
        )


def _arm(cell: Cell, place: Scene) -> None:
    if cell.step.broken is not None:
        endpoint, name = cell.step.broken
        place.brokers.meet(endpoint, AT[endpoint][name], times=_ALWAYS)
    match cell.step.at:
        case Endpoint() as endpoint:
            times = 1 if cell.scope is Scope.TRY else _ALWAYS
            place.brokers.meet(endpoint, AT[endpoint][cell.fault], times=times)
        case Point() as point:
            fault = FAULTS[cell.fault]
            place.line.aim = Aim(point, cell.scope, fault.fault, fault.seconds, fault.late)
        case None:
            place.handover = HANDOVERS[cell.fault]


def _rotates(cell: Cell) -> bool:
    faults = [cell.step.broken] if cell.step.broken else []
    if isinstance(cell.step.at, Endpoint):
        faults.append((cell.step.at, cell.fault))
    return any(AT[endpoint][name].rotates for endpoint, name in faults)
