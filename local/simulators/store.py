"""A thread-safe store whose entries run out by the injected clock."""

import threading

from local.simulators.clock import Clock


class ExpiringStore[Value]:
    """Values by key, each kept for `seconds`; what has run out is as good as never stored."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._entries: dict[str, tuple[float, Value]] = {}
        self._lock = threading.Lock()

    def put(self, key: str, value: Value) -> None:
        now = self._clock()
        with self._lock:
            self._entries = {held: entry for held, entry in self._entries.items() if entry[0] > now}
            self._entries[key] = (now + self._seconds, value)

    def get(self, key: str) -> Value | None:
        with self._lock:
            return self._live(self._entries.get(key))

    def pop(self, key: str) -> Value | None:
        """Takes the value out; of several callers at once, one gets it."""
        with self._lock:
            return self._live(self._entries.pop(key, None))

    def _live(self, entry: tuple[float, Value] | None) -> Value | None:
        return entry[1] if entry is not None and entry[0] > self._clock() else None
