"""Sends the customers on their way in time, from processes of their own: they must not slow what they measure."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from bench.customer import Customer, Walked
from bench.plan import Planned

PROCESSES = 2
# So many customers of a process can be on their way at once; who comes then begins late, which is told.
_AT_ONCE = 100
_START_SECONDS = 60.0

type Walks = Queue[Walked]


@dataclass
class Drive:
    """A burst under way: `walks` is given each login when it has come to its end.

    `busy` is how much of a processor core each driver used, once it is over: near 1, the drivers were the bottleneck.
    """

    walks: Walks
    busy: float = 0.0


@contextmanager
def driving(base_url: str, plan: Sequence[Planned]) -> Iterator[Drive]:
    """Drive the plan."""
    spawned = multiprocessing.get_context("spawn")
    ready, walks = spawned.Barrier(PROCESSES + 1), spawned.Queue()
    drivers = [
        spawned.Process(target=_drive, args=(base_url, plan[number::PROCESSES], ready, walks), daemon=True)
        for number in range(PROCESSES)
    ]
    # Ctrl-C in the terminal is for the process that started them.
    kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for driver in drivers:
            driver.start()
    finally:
        signal.signal(signal.SIGINT, kept)
    drive = Drive(walks)
    try:
        ready.wait(_START_SECONDS)
        began, used = time.monotonic(), _used_by_children()
        yield drive
    finally:
        for driver in drivers:
            driver.kill()
            driver.join()
    drive.busy = (_used_by_children() - used) / PROCESSES / (time.monotonic() - began)


def _used_by_children() -> float:
    """Give the processor seconds of the child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _drive(base_url: str, plan: Sequence[Planned], ready: Barrier, walks: Walks) -> None:
    ready.wait(_START_SECONDS)
    began = time.monotonic()

    def walk(planned: Planned) -> None:
        walked = Customer(base_url, planned).log_in(late=time.monotonic() - began - planned.at)
        walks.put(replace(walked, ended=time.monotonic() - began))

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for planned in plan:
            time.sleep(max(0.0, began + planned.at - time.monotonic()))
            threads.submit(walk, planned)
