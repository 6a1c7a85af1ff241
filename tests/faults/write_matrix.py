"""`make faults`: runs every cell of the fault matrix and writes docs/fault-matrix.md."""

from __future__ import annotations

import sys
from pathlib import Path

_PROJECT = Path(__file__).parent.parent.parent
sys.path[:0] = [
    str(_PROJECT / each) for each in ("layers", "functions/authorize", "functions/callback", "functions/announce")
]

import tests.conftest  # noqa: E402, F401 - the import roots are set above; this keeps the SDK off every real account
from tests.faults.brokers import faulty_brokers  # noqa: E402 - see above
from tests.faults.cells import cells, run  # noqa: E402 - see above
from tests.faults.document import DOCUMENT, write  # noqa: E402 - see above
from tests.kit.emulated import emulated_aws  # noqa: E402 - see above


def main() -> int:
    """Write the document. Gives the exit status: 1 where an invariant does not hold, and then nothing is written."""
    outcomes = {}
    with emulated_aws(), faulty_brokers() as brokers:
        for cell in cells():
            try:
                outcomes[cell] = run(cell, brokers)
            except AssertionError as broken:
                sys.stderr.write(f"{cell}: {broken}\n")
                return 1
    DOCUMENT.write_text(write(outcomes))
    sys.stdout.write(f"{len(outcomes)} cells, written to {DOCUMENT.relative_to(_PROJECT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
