"""Runs functions in forked processes, a few at a time, each within limits of time."""

from __future__ import annotations

import os
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

TIMED_OUT: Final = -1
_AT_ONCE: Final = 2
# How often a process is looked at. One that waits for ever uses no processor, so it may be looked at so many times for
# each second that it has. Looks are counted and not the time, since a machine may also sleep, or be busy otherwise.
_PAUSE: Final = 0.005
_LOOKS: Final = 3000


@dataclass(frozen=True, slots=True)
class Child:
    """What a process has to do, giving its exit status, and how many seconds of processor time that may take."""

    name: str
    work: Callable[[], int]
    seconds: int


def run(children: Iterator[Child]) -> Iterator[tuple[str, int]]:
    """Run them; give the name and exit status of each as it ends, `TIMED_OUT` where it had to be stopped."""
    running: dict[int, tuple[Child, int]] = {}
    try:
        while True:
            while len(running) < _AT_ONCE and (child := next(children, None)) is not None:
                running[_fork(child)] = child, _LOOKS * child.seconds
            if not running:
                return
            for pid, (child, looks) in list(running.items()):
                status = _status(pid, looks)
                if status is None:
                    running[pid] = child, looks - 1
                else:
                    del running[pid]
                    yield child.name, status
            time.sleep(_PAUSE)
    finally:
        for pid in running:
            _stop(pid)


def _fork(child: Child) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (child.seconds, child.seconds + 1))
        status = child.work()
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        # Not even an exception may bring this copy of the process back to what its original does.
        os._exit(status)


def _status(pid: int, looks: int) -> int | None:
    if looks <= 0:
        _stop(pid)
        return TIMED_OUT
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    code = os.waitstatus_to_exitcode(status)
    return TIMED_OUT if code in {-signal.SIGXCPU, -signal.SIGKILL} else code


def _stop(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def silence(*, errors: bool = True) -> None:
    """Send nowhere what this process writes to stdout, and `errors` too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    if errors:
        os.dup2(nowhere, 2)
