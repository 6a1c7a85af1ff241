"""The matrix: every step with every fault, and what each cell comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.aftermath import live_through
from tests.faults.aws_faults import FAULTS
from tests.faults.broker_faults import AT
from tests.faults.brokers import Endpoint, FaultyBrokers
from tests.faults.journey import Journey
from tests.faults.line import Aim, Scope
from tests.faults.scene import Scene, scene
from tests.faults.steps import STEPS, Step

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

    answer: str
    page: str
    attempt: str
    metrics: str
    later: str
    grant: str
    token: str
    event: str


def cells() -> Iterator[Cell]:
    """Give every cell."""
    for step in STEPS:
        for fault in _faults(step):
            for scope in step.scopes:
                # Reads meet no conflict, so it cannot be all of the service's calls that do.
                if (fault, scope) != ("conflict", Scope.SERVICE):
                    yield Cell(step, fault, scope)


def _faults(step: Step) -> list[str]:
    if isinstance(step.at, Endpoint):
        return list(AT[step.at])
    service = _SERVICES.get(step.at.operation, "dynamodb")
    return [name for name, fault in FAULTS.items() if fault.services is None or service in fault.services]


_SERVICES = {"GetSecretValue": "secretsmanager", "Encrypt": "kms", "Publish": "sns", "SendMessage": "sqs"}


def run(cell: Cell, brokers: FaultyBrokers) -> Outcome:
    """Walk a login into a cell and out of it again. Raises `AssertionError` where an invariant does not hold."""
    step = cell.step
    with scene(brokers) as place:
        journey = Journey(place, step.broker)
        step.reach(journey)
        _arm(cell, place)
        counted = len(place.metrics)
        seen = step.request(journey)
        place.line.mend()
        brokers.mend()
        at_once = (seen.answer, seen.page, _attempt(journey), ", ".join(place.metrics[counted:]) or "none")
        later = live_through(journey, step.request, resent=int(_rotates(cell)))
        token = "yes" if place.tokens() else "no"
        return Outcome(*at_once, later.page, str(len(brokers.seen)), token, later.event)


def _attempt(journey: Journey) -> str:
    row = journey.row
    return f"{row['status']} {row['error']}" if "error" in row else str(row.get("status", "none"))


def _arm(cell: Cell, place: Scene) -> None:
    if cell.step.broken is not None:
        endpoint, name = cell.step.broken
        place.brokers.meet(endpoint, AT[endpoint][name], times=_ALWAYS)
    if isinstance(cell.step.at, Endpoint):
        times = 1 if cell.scope is Scope.TRY else _ALWAYS
        place.brokers.meet(cell.step.at, AT[cell.step.at][cell.fault], times=times)
    else:
        fault = FAULTS[cell.fault]
        place.line.aim = Aim(cell.step.at, cell.scope, fault.fault, fault.seconds, fault.late)


def _rotates(cell: Cell) -> bool:
    faults = [cell.step.broken] if cell.step.broken else []
    if isinstance(cell.step.at, Endpoint):
        faults.append((cell.step.at, cell.fault))
    return any(AT[endpoint][name].rotates for endpoint, name in faults)
