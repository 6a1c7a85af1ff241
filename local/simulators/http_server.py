"""A threaded HTTP/1.1 server on werkzeug's that keeps connections open and can close all of them at once."""

import contextlib
import socket
import threading
from collections.abc import Callable

from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from local.simulators.delivery import Answer, deliver

_MAX_BODY_BYTES = 1024 * 1024
_IDLE_SECONDS = 60
_JOIN_SECONDS = 5


class HttpServer(ThreadedWSGIServer):
    """Serves requests from a listening socket, each connection in its own thread."""

    def __init__(self, listener: socket.socket, answer: Callable[[Request], Answer]) -> None:
        """`answer` gets each request with its body already read. The listener is duplicated: close it."""
        host, port = listener.getsockname()
        # The handler below asks `answer` itself: an answer may be undeliverable, which WSGI has no word for.
        super().__init__(host, port, app=BadRequest(), handler=_RequestHandler, fd=listener.fileno())
        self.answer = answer
        self.closing = threading.Event()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._connections_lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def start(self) -> None:
        self._accepting.start()

    def close(self) -> None:
        """Ends every connection, also hanging ones, and waits for their threads."""
        if self.closing.is_set():
            return
        self.closing.set()
        # One more connection wakes the thread that waits for the next.
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
            pass
        self._accepting.join(_JOIN_SECONDS)
        self.server_close()
        with self._connections_lock:
            connections = dict(self._connections)
        for connection in connections.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in connections:
            thread.join(_JOIN_SECONDS)

    def _accept(self) -> None:
        while not self.closing.is_set():
            self.handle_request()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Like the inherited one, but remembers thread and connection for `close`."""
        if isinstance(request, tuple):  # a datagram, which a stream server never gets
            return
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._connections_lock:
            alive = {held: connection for held, connection in self._connections.items() if held.is_alive()}
            self._connections = {**alive, thread: request}
            thread.start()


class _RequestHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server: HttpServer

    def run_wsgi(self) -> None:
        """Answers one request; the inherited one would close every connection after it."""
        request = Request(self.make_environ())
        answer = self._answer(request)
        open_after = deliver(
            answer,
            request,
            self.connection,
            keep_alive=not self.close_connection,
            closing=self.server.closing,
        )
        self.close_connection = not open_after

    def _answer(self, request: Request) -> Answer:
        request.max_content_length = _MAX_BODY_BYTES
        try:
            length = request.headers.get("Content-Length", "0")
            if not (length.isascii() and length.isdigit()):
                raise BadRequest("Content-Length is no number.")
            request.get_data()
        except HTTPException as problem:
            # Where the next request would begin is unknown.
            self.close_connection = True
            return Answer(Response(problem.description, status=problem.code, content_type="text/plain"))
        except OSError as problem:
            raise ConnectionError("The request's body ended early or is malformed.") from problem
        try:
            return self.server.answer(request)
        except Exception:
            self.close_connection = True
            with contextlib.suppress(OSError):
                failure = Answer(Response("The simulator failed.\n", status=500, content_type="text/plain"))
                deliver(failure, request, self.connection, keep_alive=False, closing=self.server.closing)
            raise

    def log(self, *_args: object, **_options: object) -> None:
        """Says nothing: an access log would hold states, codes and tokens."""
