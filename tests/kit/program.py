"""A program that runs beside the tests, and what it prints, line by line."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue

import pytest

from local.ports import listen

PATIENCE = 60.0


class Program:
    """A running program, in a process group of its own, as a terminal gives it."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - this project's own programs
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lines: Queue[str] = Queue()
        self.seen: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def wait_for_line(self, pattern: str) -> str:
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except Empty:
                pytest.fail(f"no line {pattern!r} among {self.seen}")
            self.seen.append(line)
            if re.search(pattern, line):
                return line

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and what is on standard error."""
        assert self.process.stderr is not None
        errors = self.process.stderr.read()
        return self.process.wait(PATIENCE), errors

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


def free_ports(*names: str) -> dict[str, str]:
    """Give a free port for each name, as a setting."""
    listeners = [listen(0, name) for name in names]
    ports = {name: str(listener.getsockname()[1]) for name, listener in zip(names, listeners, strict=True)}
    for listener in listeners:
        listener.close()
    return ports
