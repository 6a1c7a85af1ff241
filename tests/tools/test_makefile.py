"""`make help` lists every target, and `make run` hands over to the local stack whole."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# Like the stack, it takes a moment to stop: GNU make stumbles over a program that ends in the instant of the signal.
_LOCAL = """
import os, time
try:
    print("port", os.environ.get("PORT"), flush=True)
    while True:
        time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.3)
    print("stopped", flush=True)
"""


def _make() -> str:
    make = shutil.which("make")
    assert make is not None
    return make


def test_help_lists_every_target() -> None:
    listed = subprocess.run(  # noqa: S603 - this project's own Makefile
        [_make(), "--no-print-directory", "-C", str(ROOT)], capture_output=True, text=True, check=True
    )
    # The parts of `check` are not for people.
    phony, _ = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", _MAKEFILE, flags=re.MULTILINE)
    assert re.findall(r"^  (\w+) +\S", listed.stdout, flags=re.MULTILINE) == re.findall(r"\w+", phony)


@pytest.fixture
def project(tmp_path: Path, python: str) -> Path:
    """A project that is set up, with a stand-in for the local stack, at a path with spaces."""
    folder = tmp_path / "a project of mine"
    for name in ("tools", "requirements"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", ".python-version"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(python)
    shutil.copytree(ROOT / "requirements", folder / ".venv" / ".made-from")
    shutil.copy(ROOT / ".python-version", folder / ".venv" / ".made-from")
    (folder / "local").mkdir()
    (folder / "local" / "__main__.py").write_text(_LOCAL, encoding="utf-8")
    return folder


def test_run_passes_its_variables_and_ends_quietly_on_ctrl_c(project: Path) -> None:
    command = [_make(), "--no-print-directory", "-C", str(project), "run", "PORT=8123"]
    with subprocess.Popen(  # noqa: S603 - the same
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "port 8123\n"
        # As a terminal does it: to the whole group.
        os.killpg(running.pid, signal.SIGINT)
        try:
            out, err = running.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise
    assert (out, err) == ("stopped\n", "")
    assert running.returncode in {0, -signal.SIGINT}
