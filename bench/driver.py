"""Sends the customers on their way in time, from a process of its own: it must not slow the stack that it measures."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.queues import Queue

from bench.customer import Customer, Walked
from bench.plan import Planned

# So many customers can be on their way at once; who comes then begins late, which is told.
_AT_ONCE = 200

type Walks = Queue[Walked]


@contextmanager
def driving(base_url: str, plan: Sequence[Planned]) -> Iterator[Walks]:
    """Drive the plan; the queue is given each login when it has come to its end."""
    spawned = multiprocessing.get_context("spawn")
    walks: Walks = spawned.Queue()
    process = spawned.Process(target=_drive, args=(base_url, plan, walks), daemon=True)
    process.start()
    try:
        yield walks
    finally:
        process.kill()
        process.join()


def _drive(base_url: str, plan: Sequence[Planned], walks: Walks) -> None:
    began = time.monotonic()

    def walk(planned: Planned) -> None:
        walked = Customer(base_url, planned).log_in(late=time.monotonic() - began - planned.at)
        walks.put(replace(walked, ended=time.monotonic() - began))

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for planned in plan:
            time.sleep(max(0.0, began + planned.at - time.monotonic()))
            threads.submit(walk, planned)
