"""The AWS emulator: an engine served on loopback, made safe to leave running.

It holds real broker secrets when the stack runs with a broker app of one's own, and accepts any credentials.
So no web page may reach it: a page's request carries Origin or Sec-Fetch-Site, and one that came through a
name rebound to loopback carries that name as its Host.
"""

import io
import socket
from collections.abc import Iterable
from threading import Condition, Thread
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from local.aws import Clients
from local.moto_engine import Moto
from local.ports import LOOPBACK

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
_FORBIDDEN = "403 Forbidden"


class Changes:
    """Tells the pollers that a row or a message was written, so that they neither wait nor poll in vain."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._watches: list[Watch] = []
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the emulator is going away."""
        return self._closed

    def watch(self, resource: str) -> "Watch":
        """Watch the writes that concern a table or a queue, by its name."""
        made = Watch(resource.encode(), self._condition, self)
        with self._condition:
            self._watches.append(made)
        return made

    def note(self, body: bytes) -> None:
        """Tell of a write, by the body of its request."""
        with self._condition:
            for each in self._watches:
                # What is published names a topic, and it may go to any queue.
                each.count += each.resource in body or b"Action=Publish" in body
            self._condition.notify_all()

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def wait_for_close(self, timeout: float) -> None:
        """Return at the end, or after `timeout` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed, timeout)


class Watch:
    """How many writes there have been that concern one resource."""

    def __init__(self, resource: bytes, condition: Condition, changes: Changes) -> None:
        self.resource = resource
        self.count = 0
        self._condition = condition
        self._changes = changes

    def wait(self, seen: int, timeout: float) -> None:
        """Return when there were writes beyond the first `seen`, after `timeout` seconds, or at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._changes.closed or self.count > seen, timeout)


class Engine(Protocol):
    """AWS behind the emulator's guard: a WSGI application, whose resources are in `account`."""

    account: str

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call, whose `wsgi.input` holds all of its body."""


class _QuietHandler(MotoRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Keep the request log off the terminal, which shows what the consumer received."""


class _Guarded:
    """The emulator's WSGI application: refuses browsers, notes changes, and leaves the rest to the engine."""

    def __init__(self, port: int, engine: Engine, changes: Changes) -> None:
        self._hosts = frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})
        self._engine = engine
        self._changes = changes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") not in self._hosts:
            return _refuse(start_response, _FORBIDDEN, b"The AWS emulator answers to its loopback address only.\n")
        if "HTTP_ORIGIN" in environ or "HTTP_SEC_FETCH_SITE" in environ:
            return _refuse(start_response, _FORBIDDEN, b"The AWS emulator does not answer to web pages.\n")
        length = environ.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()):
            return _refuse(start_response, "400 Bad Request", b"Content-Length is no number.\n")
        # Read before the engine takes a lock: a slow sender must not keep everybody else waiting.
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        response = self._engine(environ, start_response)
        if _writes(environ.get("HTTP_X_AMZ_TARGET", ""), body):
            self._changes.note(body)
        return response


def _writes(operation: str, body: bytes) -> bool:
    service, _, name = operation.partition(".")
    if service.startswith("DynamoDB"):
        return name in _DYNAMODB_WRITES
    # SNS speaks the query protocol, which has its operation in the body.
    return name in _QUEUE_WRITES or b"Action=Publish" in body


def _refuse(start_response: StartResponse, status: str, reason: bytes) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(reason)))])
    return [reason]


class Emulator:
    """A running emulator: of moto, where no other engine is given, starting empty and in an account of its own."""

    def __init__(self, listener: socket.socket, engine: Engine | None = None) -> None:
        """Serve on a bound loopback socket, which the emulator takes over and closes."""
        engine = engine or Moto()
        port: int = listener.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{port}"
        self.account = engine.account
        self.changes = Changes()
        self.clients = Clients(self.url)
        with listener:
            self._server = make_server(
                LOOPBACK,
                port,
                _Guarded(port, engine, self.changes),
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
