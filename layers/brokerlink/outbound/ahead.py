"""A connection that is opened while something else is under way, for one request that will want one of its own."""

import select
import socket
import threading
from collections.abc import Callable
from typing import Final, Protocol

from brokerlink.outbound.errors import NotSent
from brokerlink.outbound.transfer import Transfer, current_transfer

# A server that ends idle connections gives them longer than this.
MOST_SECONDS = 2.0
# The peer has said its last word (Linux; elsewhere a reset alone is seen).
_LAST_WORD: Final = getattr(select, "POLLRDHUP", 0)


class Connection(Protocol):
    """What is asked of urllib3's connections."""

    def connect(self) -> None:
        """Open it. Raises `NotSent`."""

    def close(self) -> None:
        """Close it, if it is open."""

    @property
    def sock(self) -> socket.socket:
        """Its socket, once it is open."""


class Ahead[C: Connection]:
    """Opens a connection in a thread of its own, within the time of `transfer`.

    opening ──▶ open ──▶ taken by a request, once
                     └─▶ closed: nobody wanted it, or it had waited too long
    opening ──▶ failed: the request that wants it is told, and may be sent again
    """

    def __init__(self, connection: C, transfer: Transfer, monotonic: Callable[[], float]) -> None:
        self._connection = connection
        self._transfer = transfer
        self._monotonic = monotonic
        self._opened_at: float | None = None
        self._failure: NotSent | None = None
        self._unwanted = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._open, name="open", daemon=True)
        self._thread.start()

    def take(self, seconds: float) -> C | None:
        """Wait for the connection and hand it over; None where there is none to be had, or no longer.

        Raises `NotSent`, once.
        """
        self._thread.join(seconds)
        with self._lock:
            opened_at, self._opened_at = self._opened_at, None
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if opened_at is None:
            return None
        if self._monotonic() - opened_at <= MOST_SECONDS and not _has_ended(self._connection.sock):
            return self._connection
        self._connection.close()
        return None

    def close(self) -> None:
        """Close it unless it was taken; while it is being opened, as soon as it is. Waits for nothing."""
        with self._lock:
            self._unwanted = True
            opened_at, self._opened_at = self._opened_at, None
        if opened_at is not None:
            self._connection.close()

    def _open(self) -> None:
        # A thread begins with a context of its own.
        current_transfer.set(self._transfer)
        try:
            self._connection.connect()
        except NotSent as failure:
            self._failure = failure
            return
        with self._lock:
            if not self._unwanted:
                self._opened_at = self._monotonic()
                return
        self._connection.close()


def _has_ended(connection: socket.socket) -> bool:
    """Say whether the server has ended a connection. That something can be read does not tell: TLS 1.3 begins so."""
    events = select.poll()
    events.register(connection, _LAST_WORD)
    return bool(events.poll(0))
