"""docs/fault-matrix.md: written from the cells' outcomes, and read back, so that a test can compare cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Final

from tests.faults.cells import Cell, Outcome
from tests.faults.line import Scope
from tests.faults.steps import STEPS, Step

DOCUMENT: Final = Path(__file__).parent.parent.parent / "docs" / "fault-matrix.md"
_BETWEEN: Final = "; "
_ALWAYS: Final = "however long"

_INTRODUCTION: Final = Path(__file__).with_name("introduction.md").read_text()

_HEAD: Final = (
    "| fault | lasts | HTTP | leads to | page | attempt | error | metrics | later | token calls | identity calls "
    "| token | event |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)

type Outcomes = Mapping[Cell, Outcome]


def write(outcomes: Outcomes) -> str:
    """Give the document."""
    return _INTRODUCTION + "".join(_section(step, outcomes) for step in STEPS)


def read(document: str) -> dict[str, Outcome]:
    """Give the outcome of each cell, by the cell's text, that a document tells."""
    told: dict[str, Outcome] = {}
    for section in document.split("\n## ")[3:]:
        title, _, table = section.partition("\n")
        step = next((step for step in STEPS if step.title == title), None)
        for line in table.partition(_HEAD)[2].splitlines():
            faults, lasts, *columns = [column.strip() for column in line.strip("|").split(" | ")]
            for fault in faults.split(_BETWEEN):
                for scope in _scopes(step, lasts):
                    told[f"{title}: {fault}, {scope}"] = Outcome(*columns)
    return told


def _scopes(step: Step | None, lasts: str) -> list[str]:
    if lasts == _ALWAYS and step is not None:
        return list(step.scopes)
    return lasts.split(_BETWEEN)


def _section(step: Step, outcomes: Outcomes) -> str:
    lines = (
        f"| {_BETWEEN.join(faults)} | {lasts} | {' | '.join(astuple(outcome))} |\n"
        for (lasts, outcome), faults in _rows(step, outcomes).items()
    )
    return f"\n## {step.title}\n\n{step.text}\n\n{_HEAD}{''.join(lines)}"


def _rows(step: Step, outcomes: Outcomes) -> dict[tuple[str, Outcome], list[str]]:
    """Group a step's cells: a fault's scopes that come to the same, then the faults that do."""
    by_fault: dict[str, dict[Outcome, list[Scope]]] = {}
    for cell in outcomes:
        if cell.step == step:
            by_fault.setdefault(cell.fault, {}).setdefault(outcomes[cell], []).append(cell.scope)
    rows: dict[tuple[str, Outcome], list[str]] = {}
    for fault, ends in by_fault.items():
        for outcome, scopes in ends.items():
            lasts = _ALWAYS if len(ends) == 1 and len(scopes) > 1 else _BETWEEN.join(scopes)
            rows.setdefault((lasts, outcome), []).append(fault)
    return rows
