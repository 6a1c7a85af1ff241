"""The AWS emulator: moto's server in this process, on loopback, made safe to leave running.

It holds real broker secrets when the stack runs with a broker app of one's own, and accepts any credentials.
So no web page may reach it: a page's request carries Origin or Sec-Fetch-Site, and one that came through a
name rebound to loopback carries that name as its Host.
"""

import io
import itertools
import socket
from collections.abc import Iterable
from threading import Condition, Thread
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local.aws import Clients
from local.ports import LOOPBACK
from local.transactions import SerialisedTransactions

# moto keeps its state per process and account: an account of its own keeps each emulator's resources apart.
_ACCOUNTS = itertools.count(100_000_000_000)

_DYNAMODB_WRITES = frozenset(
    {
        "BatchExecuteStatement",
        "BatchWriteItem",
        "DeleteItem",
        "ExecuteStatement",
        "ExecuteTransaction",
        "PutItem",
        "TransactWriteItems",
        "UpdateItem",
    }
)
_QUEUE_WRITES = frozenset(
    {"ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "SendMessage", "SendMessageBatch"}
)


class Changes:
    """Tells the pollers that a row or a message was written, so that they neither wait nor poll in vain."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._count = 0
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the emulator is going away."""
        return self._closed

    @property
    def count(self) -> int:
        """How many changes there have been."""
        return self._count

    def note(self) -> None:
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def wait(self, seen: int, timeout: float) -> None:
        """Return when there were changes beyond the first `seen`, after `timeout` seconds, or at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._count > seen, timeout)

    def wait_for_close(self, timeout: float) -> None:
        """Return at the end, or after `timeout` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed, timeout)


class _QuietHandler(MotoRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Keep the request log off the terminal, which shows what the consumer received."""


class _Guarded:
    """The emulator's WSGI application: refuses browsers, serialises DynamoDB, notes changes."""

    def __init__(self, port: int, account: str, changes: Changes) -> None:
        self._hosts = frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})
        self._account = account
        self._changes = changes
        self._moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
        self._dynamodb = SerialisedTransactions(self._moto)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") not in self._hosts:
            return _forbid(start_response, b"The AWS emulator answers to its loopback address only.\n")
        if "HTTP_ORIGIN" in environ or "HTTP_SEC_FETCH_SITE" in environ:
            return _forbid(start_response, b"The AWS emulator does not answer to web pages.\n")
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._account
        # Read before the lock is taken: a slow sender must not keep everybody else waiting.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        operation = environ.get("HTTP_X_AMZ_TARGET", "")
        if not operation.startswith("DynamoDB"):
            response = self._moto(environ, start_response)
        else:
            response = self._dynamodb(environ, start_response, operation, body)
        if _writes(operation, body):
            self._changes.note()
        return response


def _writes(operation: str, body: bytes) -> bool:
    service, _, name = operation.partition(".")
    if service.startswith("DynamoDB"):
        return name in _DYNAMODB_WRITES
    # SNS speaks the query protocol, which has its operation in the body.
    return name in _QUEUE_WRITES or b"Action=Publish" in body


def _forbid(start_response: StartResponse, reason: bytes) -> Iterable[bytes]:
    start_response(
        "403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(reason)))]
    )
    return [reason]


class Emulator:
    """A running emulator; each one starts empty and has an account of its own."""

    def __init__(self, listener: socket.socket) -> None:
        """Serve on a bound loopback socket, which the emulator takes over and closes."""
        port: int = listener.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{port}"
        self.account = str(next(_ACCOUNTS))
        self.changes = Changes()
        self.clients = Clients(self.url)
        with listener:
            self._server = make_server(
                LOOPBACK,
                port,
                _Guarded(port, self.account, self.changes),
                threaded=True,
                request_handler=_QuietHandler,
                fd=listener.fileno(),
            )
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="emulator", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving. Whoever waits for changes is told first."""
        self.changes.close()
        self._server.shutdown()
        self._thread.join()
