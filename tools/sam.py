"""The SAM CLI, in the environment of its own that `make` sets up."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from tools.command import Failure

ROOT: Final = Path(__file__).resolve().parent.parent
BUILT: Final = ROOT / ".aws-sam" / "build"
_HOME: Final = ROOT / ".tools" / "sam" / "bin"


def sam(*arguments: str) -> None:
    """Run `sam` in the project, on this terminal. Raises `Failure` where it fails, which it says itself."""
    # The layers' makefiles need a python3.13, and find SAM's own first.
    environment = {
        **os.environ,
        "PATH": f"{_HOME}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SAM_CLI_TELEMETRY": "0",
    }
    command = (str(_HOME / "python"), "-m", "samcli", *arguments)
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise Failure(f"sam {arguments[0]} did not succeed (see above)")
