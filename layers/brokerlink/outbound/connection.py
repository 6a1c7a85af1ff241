"""Connections that connect before they send, note that they sent, and never outlast the request's time."""

import http.client
import io
import socket
from collections.abc import Buffer, Callable
from typing import TYPE_CHECKING, cast, override

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from brokerlink.outbound.ahead import Ahead
from brokerlink.outbound.errors import NoAnswer, NotSent
from brokerlink.outbound.opening import open_socket
from brokerlink.outbound.timed_stream import TimedStream
from brokerlink.outbound.transfer import Transfer, current_transfer

if TYPE_CHECKING:  # urllib3 has it for annotations alone
    from urllib3._base_connection import BaseHTTPConnection

# DNS, TCP and TLS together.
CONNECT_SECONDS = 3.0


class _TransferStream(TimedStream):
    """Tells the transfer what becomes of its answer."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, transfer: Transfer) -> None:
        super().__init__(raw, connection, transfer.countdown)
        self._transfer = transfer

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        try:
            count = super().readinto(buffer)
        except OSError as error:
            raise self._transfer.socket_failure(error) from error
        self._transfer.note_received(count)
        return count


class _TimedResponse(http.client.HTTPResponse):
    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._transfer = current_transfer.get()
        self.fp = io.BufferedReader(_TransferStream(self.fp.detach(), sock, self._transfer))

    @override
    def begin(self) -> None:
        super().begin()
        # http.client takes the end of the stream for the end of the headers: half an answer would look whole.
        if self._transfer.ended:
            raise NoAnswer("truncated")


class TimedConnection(HTTPConnection):
    """Carries the current transfer; raises OutboundError, which urllib3 lets pass."""

    response_class = _TimedResponse
    # Whoever turns it on for http.client as a whole prints every request and its headers.
    debuglevel = 0

    @property
    @override
    def is_connected(self) -> bool:
        # urllib3 asks a pooled connection before it uses it, and closes and reopens one that says no.
        return super().is_connected and not current_transfer.get().fresh

    @override
    def _new_conn(self) -> socket.socket:
        transfer = current_transfer.get()
        countdown = transfer.countdown.at_most(CONNECT_SECONDS)
        return open_socket(self._dns_host.strip("[]"), self.port, resolve=transfer.resolve, countdown=countdown)

    @override
    def send(self, data: object) -> None:
        if not isinstance(data, bytes):
            raise TypeError("only bytes are sent")
        if self.sock is None:
            self.connect()
        transfer = current_transfer.get()
        try:
            # Unlike one for reading, a timeout for sending counts from the first byte to the last.
            self.sock.settimeout(transfer.countdown.left())
            transfer.sent = True
            super().send(data)
        except ConnectionError:
            raise  # urllib3 then reads what the broker may have answered before it hung up
        except OSError as error:
            raise transfer.socket_failure(error) from error


class TimedTlsConnection(TimedConnection, HTTPSConnection):
    """The same over TLS."""

    @override
    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError) as error:
            raise NotSent("timeout" if isinstance(error, TimeoutError) else "tls") from error


class TimedPool(HTTPConnectionPool):
    """Pools TimedConnections."""

    ConnectionCls = TimedConnection

    def open_ahead(self, transfer: Transfer, monotonic: Callable[[], float]) -> Ahead[TimedConnection]:
        """Begin to open a connection for a request to come, within the time of `transfer`."""
        return Ahead(cast("TimedConnection", self._new_conn()), transfer, monotonic)

    @override
    def _get_conn(self, timeout: float | None = None) -> "BaseHTTPConnection":
        # urllib3 asks here for the connection of each request, and puts it back into the pool, which holds one.
        transfer = current_transfer.get()
        taken = transfer.ahead.take(transfer.countdown.left()) if transfer.ahead is not None else None
        pooled = super()._get_conn(timeout)
        if taken is None:
            return pooled
        pooled.close()
        return taken


class TimedTlsPool(TimedPool, HTTPSConnectionPool):
    """Pools TimedTlsConnections."""

    ConnectionCls = TimedTlsConnection
