"""Lambda on one machine: a pool of execution environments for one function.

Like Lambda it starts an environment when an event finds none free, keeps the ones that have run, and runs one
event at a time in each; unlike Lambda it lets events wait for a free one at its limit instead of refusing
them.
"""

import json
import threading
import time
from collections.abc import Mapping

from local.execution import ExecutionEnvironment, Function, LineSink, NotDeliveredError
from local.runtime_api import FunctionError

__all__ = ["Function", "FunctionError", "FunctionPool", "PoolClosedError", "TooSlowError"]

_KILL_SECONDS = 5.0


class PoolClosedError(Exception):
    """The pool was closed: the stack is going away."""


class TooSlowError(Exception):
    """No answer within the time the caller would wait. The function may still run, and finish."""


class FunctionPool:
    """Runs one function's events, up to ``max_workers`` at a time, the rest in turn.

    ``prewarm`` environments start at once. ``log`` is given every line that the function prints, from any
    thread.
    """

    def __init__(self, function: Function, *, log: LineSink, max_workers: int = 10, prewarm: int = 1) -> None:
        self.function = function
        self._log = log
        self._max_workers = max_workers
        self._changed = threading.Condition()
        self._environments: set[ExecutionEnvironment] = set()
        self._free: list[ExecutionEnvironment] = []
        self._closed = False
        with self._changed:
            self._free += [self._start() for _ in range(min(prewarm, max_workers))]

    @property
    def size(self) -> int:
        """How many environments there are just now."""
        return len(self._environments)

    def wait_until_ready(self, timeout: float, environments: int = 1) -> None:
        """Return when so many environments, at least, have loaded the function.

        Raises FunctionError where it cannot be loaded, TimeoutError after ``timeout`` seconds for one of them.
        """
        with self._changed:
            while len(self._environments) < environments:
                self._free.append(self._start())
            started = [environment.started for environment in self._environments]
        for start in started[:environments]:
            start.result(timeout)

    def invoke(self, event: Mapping[str, object], *, patience: float | None = None) -> object:
        """Run one event and return the function's response, any JSON value.

        Waits for a free environment, its start and the function at most ``patience`` seconds in all, else
        raises TooSlowError. Raises FunctionError for a function that failed, timed out or cannot be loaded,
        and PoolClosedError.
        """
        payload = json.dumps(event, allow_nan=False).encode()
        until = None if patience is None else time.monotonic() + patience
        while True:
            outcome = self._take(until).run(payload)
            try:
                response: object = json.loads(outcome.result(_left(until)))
            except NotDeliveredError:
                continue
            except TimeoutError:
                raise TooSlowError from None
            except ValueError:
                raise FunctionError("Runtime.MarshalError", "The response is not JSON") from None
            return response

    def retire(self) -> None:
        """End the environments that are free, as Lambda ends those that were idle: the next event starts one anew."""
        with self._changed:
            idle, self._free = self._free, []
            self._environments.difference_update(idle)
        for environment in idle:
            environment.kill()
            environment.join(_KILL_SECONDS)

    def close(self) -> None:
        """Kill every environment; who waits gets PoolClosedError or FunctionError. Safe to call twice."""
        with self._changed:
            self._closed = True
            environments = list(self._environments)
            self._changed.notify_all()
        for environment in environments:
            environment.kill()
        until = time.monotonic() + _KILL_SECONDS
        for environment in environments:
            environment.join(max(0.0, until - time.monotonic()))

    def _take(self, until: float | None) -> ExecutionEnvironment:
        with self._changed:
            while not self._closed:
                if self._free:
                    return self._free.pop()  # the one used last: its connections and caches are the warmest
                if len(self._environments) < self._max_workers:
                    return self._start()
                if not self._changed.wait(_left(until)):
                    raise TooSlowError
            raise PoolClosedError

    def _start(self) -> ExecutionEnvironment:
        if self._closed:
            raise PoolClosedError
        environment = ExecutionEnvironment(self.function, log=self._log, released=self._release, gone=self._forget)
        self._environments.add(environment)
        return environment

    def _release(self, environment: ExecutionEnvironment) -> None:
        with self._changed:
            if environment in self._environments:
                self._free.append(environment)
                self._changed.notify()

    def _forget(self, environment: ExecutionEnvironment) -> None:
        with self._changed:
            self._environments.discard(environment)
            if environment in self._free:
                self._free.remove(environment)
            self._changed.notify()


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - time.monotonic())
