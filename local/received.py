"""The events that the consumer received, for the terminal and for tests to wait on."""

import json
from collections.abc import Callable
from threading import Condition

from local.template import Json


class Received:
    """CloudEvents in the order in which the consumer dealt with them."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._events: list[Json] = []

    @property
    def events(self) -> tuple[Json, ...]:
        with self._condition:
            return tuple(self._events)

    def add(self, body: str) -> None:
        """Note one message that the consumer dealt with, a CloudEvent's JSON."""
        with self._condition:
            self._events.append(json.loads(body))
            self._condition.notify_all()

    def wait_for(self, wanted: Callable[[Json], bool], timeout: float = 15.0) -> Json:
        """Return the first event that is wanted. Raises TimeoutError after `timeout` seconds."""
        with self._condition:
            if not self._condition.wait_for(lambda: any(map(wanted, self._events)), timeout):
                raise TimeoutError(f"no such event among the {len(self._events)} received")
            return next(filter(wanted, self._events))
