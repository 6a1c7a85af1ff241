"""A threaded HTTP/1.1 server on loopback: one thread per connection, closed within a moment."""

import contextlib
import logging
import socket
import threading
import time
from http import HTTPStatus

from local.http1 import (
    BadRequestError,
    Handler,
    HangUpError,
    Limits,
    Request,
    RequestReader,
    gateway_error,
    serialised,
)

_CLOSING_SECONDS = 1.0

_logger = logging.getLogger(__name__)


class HttpServer:
    """Answers the requests that arrive on a listening socket, which it takes over and closes.

    A request that breaks HTTP is answered with the gateway's error and its connection closed. A handler's
    exception is logged and answered with a 500.
    """

    def __init__(self, listener: socket.socket, handler: Handler, limits: Limits, *, name: str) -> None:
        self._listener = listener
        self._handler = handler
        self._limits = limits
        self._name = name
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._closed = False
        host, self.port = listener.getsockname()[:2]
        self.address = f"{host}:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, name=name, daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop listening, end idle connections, wait a moment for the busy ones. Safe to call twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        with contextlib.suppress(OSError):
            # Closing a socket does not wake an accept() that waits on it; a connection does, on every system.
            socket.create_connection(self._listener.getsockname(), timeout=_CLOSING_SECONDS).close()
        self._acceptor.join(_CLOSING_SECONDS)
        self._listener.close()
        with self._lock:
            remaining = dict(self._connections)
        for connection in remaining:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        until = time.monotonic() + _CLOSING_SECONDS
        for thread in remaining.values():
            thread.join(max(0.0, until - time.monotonic()))

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(
                target=self._serve, args=(connection, peer[0]), name=f"{self._name}-{peer[1]}", daemon=True
            )
            with self._lock:
                if self._closed:
                    connection.close()
                    return
                self._connections[connection] = thread
                thread.start()

    def _serve(self, connection: socket.socket, client: str) -> None:
        try:
            # A peer that goes away, or says nothing for too long, ends its connection and nothing else.
            with contextlib.suppress(OSError, HangUpError), connection, connection.makefile("rb") as stream:
                connection.settimeout(self._limits.idle)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                reader = RequestReader(stream, self._limits, connection.sendall, client)
                while self._exchange(connection, reader):
                    pass
        finally:
            with self._lock:
                self._connections.pop(connection, None)

    def _exchange(self, connection: socket.socket, reader: RequestReader) -> bool:
        """Read one request and answer it; say whether the connection goes on."""
        try:
            request = reader.request()
        except BadRequestError as refusal:
            connection.sendall(serialised(gateway_error(refusal.status), with_body=True, close=True))
            _linger(connection)
            return False
        if request is None:
            return False
        wishes = (request.value("connection") or "").lower()
        close = self._closed or request.version == "HTTP/1.0" or "close" in wishes
        connection.sendall(self._answer(request, close=close))
        return not close

    def _answer(self, request: Request, *, close: bool) -> bytes:
        with_body = request.method != "HEAD"
        try:
            return serialised(self._handler(request), with_body=with_body, close=close)
        except HangUpError:
            raise
        except Exception:
            _logger.exception("%s could not answer a %s", self._name, request.method)
            failure = gateway_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return serialised(failure, with_body=with_body, close=close)


def _linger(connection: socket.socket) -> None:
    """Take what a refused peer is still sending: a close with unread data would reset the answer away."""
    connection.shutdown(socket.SHUT_WR)
    until = time.monotonic() + _CLOSING_SECONDS
    while (left := until - time.monotonic()) > 0:
        connection.settimeout(left)
        if not connection.recv(65_536):
            return
