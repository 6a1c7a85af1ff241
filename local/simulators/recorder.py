"""What the simulators received, in the order of arrival."""

import threading
from collections import deque
from dataclasses import dataclass, field

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it was received: `query` and `body` are the raw text, header names are canonical."""

    broker: str
    endpoint: str
    method: str
    headers: dict[str, str] = field(repr=False)
    query: str = field(repr=False)
    body: str = field(repr=False)


class Recorder:
    """A thread-safe list of requests; the oldest go when it holds ten thousand."""

    def __init__(self) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=_KEPT)
        self._arrived = threading.Condition()

    def add(self, request: RecordedRequest) -> None:
        with self._arrived:
            self._requests.append(request)
            self._arrived.notify_all()

    def requests(self, broker: str | None = None, endpoint: str | None = None) -> list[RecordedRequest]:
        """The requests so far, all of them or those of one broker or endpoint, oldest first."""
        with self._arrived:
            return self._matching(broker, endpoint)

    def wait_for(
        self, count: int, broker: str | None = None, endpoint: str | None = None, *, seconds: float = 10
    ) -> bool:
        """Waits until `count` such requests have arrived; False if they did not within `seconds`."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self._matching(broker, endpoint)) >= count, seconds)

    def _matching(self, broker: str | None, endpoint: str | None) -> list[RecordedRequest]:
        return [
            request
            for request in self._requests
            if broker in {None, request.broker} and endpoint in {None, request.endpoint}
        ]
