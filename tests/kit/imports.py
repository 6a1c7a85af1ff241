"""What importing a module brings along: cold starts and consumers pay for all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LAYERS = Path(__file__).parents[2] / "layers"


def imported_with(statement: str) -> set[str]:
    """Give the modules that a fresh interpreter holds after a statement that it did not hold before."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    done = subprocess.run(  # noqa: S603  # a command made of our own text
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(LAYERS)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())
