"""Every step with every fault: the invariants hold, and each cell comes to what docs/fault-matrix.md says."""

from __future__ import annotations

import re

import pytest

from tests.faults.brokers import FaultyBrokers
from tests.faults.cells import Cell, cells, faults_at, run
from tests.faults.document import DOCUMENT, read, write
from tests.faults.steps import STEPS, Step

TOLD = read(DOCUMENT.read_text())


@pytest.mark.parametrize("cell", list(cells()), ids=str)
def test_cell_comes_to_what_is_told(cell: Cell, brokers: FaultyBrokers) -> None:
    assert run(cell, brokers) == TOLD.get(str(cell)), "`make faults` writes docs/fault-matrix.md anew"


def test_document_tells_these_cells_and_no_others() -> None:
    assert write({cell: TOLD[str(cell)] for cell in cells()}) == DOCUMENT.read_text()


# What every step has to meet, whatever else there is.
KINDS = (
    "refused",
    "connect timeout",
    "read timeout",
    "reset before",
    "reset after",
    "slow drip",
    "4xx",
    "429",
    "5xx",
    "HTML",
    "truncated",
    "oversized",
    "not JSON",
    "wrong types",
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_step_meets_every_kind_of_fault(step: Step) -> None:
    names = faults_at(step)
    assert [kind for kind in KINDS if not any(re.match(rf"{kind}\b", name) for name in names)] == []
