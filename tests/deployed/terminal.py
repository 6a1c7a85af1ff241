"""An operator at a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 240.0


@dataclass
class Session:
    """What a command said, and how it ended."""

    returncode: int
    shown: str = field(repr=False)


def at_terminal(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], answers: Sequence[tuple[str, str]] = ()
) -> Session:
    """Run a command at a terminal of its own; after each `prompt` of `answers` type the text that belongs to it.

    Raises `AssertionError` where a prompt does not come.
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - this project's own commands
        command, cwd=cwd, env=dict(env), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        shown, seen = "", 0
        waiting = list(answers)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece.decode(errors="replace")
            while waiting and (found := shown.find(waiting[0][0], seen)) >= 0:
                seen = found + len(waiting[0][0])
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
        else:
            process.kill()
        os.close(ours)
        process.wait()
    assert not waiting, f"it never asked {waiting[0][0]!r}:\n{shown}"
    return Session(process.returncode, shown)
