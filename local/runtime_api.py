"""Lambda's Runtime API (version 2018-06-01) for one execution environment.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: the process that runs a function asks for its
next event, and posts the response or the error. Any runtime client speaks it: this project's small worker as
well as AWS's own awslambdaric. One environment runs one event at a time.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from local.http1 import HangUpError, Limits, Request, Response
from local.http_server import HttpServer
from local.ports import LOOPBACK, listen

# A response is limited to 6 MB. The error cause for X-Ray travels in a header of up to 1 MB.
_LIMITS = Limits(head=2 * 1024 * 1024, body=6 * 1024 * 1024 + 100, idle=None)
_ROUTE = re.compile(r"/2018-06-01/runtime/(?:invocation/([^/?]+)/(response|error)|(invocation/next)|(init/error))")


class FunctionError(Exception):
    """An invocation that ended without a response: what Lambda calls a function error.

    ``error_type`` is as Lambda names it (``ValueError``, ``Runtime.ExitError``, ``Sandbox.Timedout``). The
    message is the function's own and may quote what it was working on: for a developer's eyes.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


@dataclass(frozen=True, slots=True, eq=False)
class Invocation:
    """One event on its way through an environment: its JSON text, then the response's."""

    request_id: str
    payload: bytes
    outcome: Future[bytes] = field(default_factory=Future)


class Observer(Protocol):
    """Whom the Runtime API tells how the runtime gets on; called from the connections' threads."""

    def initialised(self) -> None:
        """The runtime asked for its first event."""

    def init_failed(self, error: FunctionError) -> None:
        """The runtime reports that it cannot load the function."""

    def taken(self, invocation: Invocation) -> None:
        """The runtime has been given this event; its time runs from now."""

    def responded(self, invocation: Invocation, response: bytes) -> None:
        """The function returned; ``response`` is JSON text."""

    def failed(self, invocation: Invocation, error: FunctionError) -> None:
        """The function raised."""


class RuntimeApi:
    """Serves the Runtime API on a loopback port of its own, by which it knows the environment that asks."""

    def __init__(
        self, function_arn: str, timeout: float, observer: Observer, *, now: Callable[[], float] = time.time
    ) -> None:
        self._arn = function_arn
        self._timeout = timeout
        self._observer = observer
        self._now = now
        self._changed = threading.Condition()
        self._offered: Invocation | None = None
        self._running: Invocation | None = None
        self._initialised = False
        self._closed = False
        self._server = HttpServer(listen(0, "the Runtime API"), self._answer, _LIMITS, name="runtime-api")
        self.address = f"{LOOPBACK}:{self._server.port}"

    def offer(self, invocation: Invocation) -> None:
        """Give this event to the runtime when it next asks; the caller waits for the outcome of one at a time."""
        with self._changed:
            self._offered = invocation
            self._changed.notify_all()

    def close(self) -> None:
        """Hang up on the runtime. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.close()

    def _answer(self, request: Request) -> Response:
        # Events hold cookies and grants: no web page may fetch one, by its own origin or through a rebound
        # name.
        if request.host != self.address or request.values("origin") or request.values("sec-fetch-site"):
            return _refused(HTTPStatus.FORBIDDEN, "AccessDenied")
        route = _ROUTE.fullmatch(request.path)
        if route is None:
            return _refused(HTTPStatus.NOT_FOUND, "ResourceNotFound")
        request_id, result, next_event, _ = route.groups()
        if request.method != ("GET" if next_event else "POST"):
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed")
        if next_event:
            return self._next()
        if request_id is None:
            self._observer.init_failed(_reported_error(request))
            return _accepted()
        return self._finish(request_id, request, failed=result == "error")

    def _next(self) -> Response:
        with self._changed:
            if self._running is not None:
                return _refused(HTTPStatus.FORBIDDEN, "InvalidStateTransition")
            first, self._initialised = not self._initialised, True
        if first:
            self._observer.initialised()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._offered is not None)
            if self._closed or self._offered is None:
                raise HangUpError
            invocation, self._offered = self._offered, None
            self._running = invocation
        deadline = self._now() + self._timeout
        self._observer.taken(invocation)
        headers = (
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(round(deadline * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", self._arn),
            ("Lambda-Runtime-Trace-Id", f"Root=1-{int(self._now()):08x}-{'0' * 24};Sampled=0"),
        )
        return Response(HTTPStatus.OK, headers, invocation.payload)

    def _finish(self, request_id: str, request: Request, *, failed: bool) -> Response:
        with self._changed:
            invocation = self._running
            if invocation is None or invocation.request_id != request_id:
                return _refused(HTTPStatus.BAD_REQUEST, "InvalidRequestID")
            self._running = None
        if failed:
            self._observer.failed(invocation, _reported_error(request))
        else:
            self._observer.responded(invocation, request.body)
        return _accepted()


def _reported_error(request: Request) -> FunctionError:
    """Read the error object of an error report; the header's type stands in where the body has none."""
    try:
        report = json.loads(request.body)
    except ValueError:
        report = None
    fields = report if isinstance(report, dict) else {}
    error_type = fields.get("errorType") or request.value("lambda-runtime-function-error-type") or "Unhandled"
    return FunctionError(str(error_type), str(fields.get("errorMessage") or ""))


def _accepted() -> Response:
    return Response(HTTPStatus.ACCEPTED, (("Content-Type", "application/json"),), b'{"status":"OK"}')


def _refused(status: HTTPStatus, error_type: str) -> Response:
    body = json.dumps({"errorMessage": status.phrase, "errorType": error_type}).encode()
    return Response(status, (("Content-Type", "application/json"),), body)
