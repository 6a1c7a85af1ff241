"""Every step with every fault: the invariants hold, and each cell comes to what docs/fault-matrix.md says."""

from __future__ import annotations

import pytest

from tests.faults.brokers import FaultyBrokers
from tests.faults.cells import Cell, cells, run
from tests.faults.document import DOCUMENT, read, write

TOLD = read(DOCUMENT.read_text())


@pytest.mark.parametrize("cell", list(cells()), ids=str)
def test_cell_comes_to_what_is_told(cell: Cell, brokers: FaultyBrokers) -> None:
    assert run(cell, brokers) == TOLD.get(str(cell)), "`make faults` writes docs/fault-matrix.md anew"


def test_document_tells_these_cells_and_no_others() -> None:
    assert write({cell: TOLD[str(cell)] for cell in cells()}) == DOCUMENT.read_text()
