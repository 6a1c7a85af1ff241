"""The HTTP front: plays API Gateway's HTTP API before the functions, on loopback.

It routes, verifies signatures, makes events and translates responses as the gateway does, with the gateway's
own errors. Two things are its own: the Host guard, since a page under a name rebound to loopback must reach
nothing, and the example platform below ``/example/``.
"""

import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

from local.aws import ACCESS_KEY, REGION, SECRET_KEY
from local.events import Arrival, Caller, http_api_event
from local.http1 import BadRequestError, Handler, Limits, Request, Response, gateway_error
from local.http_server import HttpServer
from local.lambda_response import MalformedResponseError, http_response
from local.platform_page import PlatformPage
from local.ports import LOOPBACK, listen
from local.routing import Match, Route, decoded_path, find_route
from local.runtime import FunctionError, PoolClosedError, TooSlowError
from local.sigv4 import Signer

__all__ = ["Front", "Route", "serve_front"]

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html; of a body, Lambda's 6 MB
# bind first.
LIMITS = Limits(head=10_240, body=6 * 1024 * 1024, idle=60.0)
INTEGRATION_SECONDS = 30.0
EXAMPLE = "/example"
_SIGNER = Signer(ACCESS_KEY, SECRET_KEY, REGION)


class Invokable(Protocol):
    """What the front needs of a function; FunctionPool is one."""

    def invoke(self, event: Mapping[str, object], *, patience: float) -> object:
        """Run one event and return the function's JSON response; raises as FunctionPool.invoke does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Answers requests with the functions behind the routes.

    ``host`` is the base URL's, with its port; ``log`` takes one line per request, which names its route as the
    deployed stack's access log does, and one for each failure of a function.
    """

    routes: Sequence[Route]
    functions: Mapping[str, Invokable]
    host: str
    port: int
    account: str
    example: Handler
    log: Callable[[str], None]
    now: Callable[[], float]

    def answer(self, request: Request) -> Response:
        """Answer one request, and log it."""
        began = self.now()
        try:
            response = self._dispatch(request)
        except BadRequestError as refusal:
            response = gateway_error(refusal.status)
        self.log(f"{self._route_key(request)} {int(response.status)} {(self.now() - began) * 1000:.0f} ms")
        return response

    def _route_key(self, request: Request) -> str:
        # Not the path: a link that was encoded once too often carries its query in there, grant and state included.
        try:
            match = find_route(self.routes, request.method, decoded_path(request.path))
        except BadRequestError:
            match = None
        return match.route.key if match else f"{request.method} -"

    def _dispatch(self, request: Request) -> Response:
        path = decoded_path(request.path)
        if _host(request.host) != self.host and not _goes_home(request.method, path):
            return gateway_error(HTTPStatus.FORBIDDEN)
        if path == EXAMPLE or path.startswith(f"{EXAMPLE}/"):
            return self.example(request)
        match = find_route(self.routes, request.method, path)
        if match is None:
            return gateway_error(HTTPStatus.NOT_FOUND)
        caller = None
        if match.route.iam:
            if not _SIGNER.signed(request, datetime.fromtimestamp(self.now(), UTC)):
                return gateway_error(HTTPStatus.FORBIDDEN)
            caller = Caller(ACCESS_KEY, self.account, ACCESS_KEY)
        return self._invoke(request, path, match, caller)

    def _invoke(self, request: Request, path: str, match: Match, caller: Caller | None) -> Response:
        request_id = secrets.token_urlsafe(11) + "="
        arrival = Arrival(request_id, int(self.now() * 1000), self.account, self.port)
        event = http_api_event(request, path, match, arrival, caller)
        try:
            result = self.functions[match.route.function].invoke(event, patience=INTEGRATION_SECONDS)
            response = http_response(result)
        except (FunctionError, MalformedResponseError) as failure:
            # Its message may quote the request; the function's own log has it.
            kind = failure.error_type if isinstance(failure, FunctionError) else str(failure)
            self.log(f"{match.route.function} failed: {kind}")
            response = gateway_error(HTTPStatus.INTERNAL_SERVER_ERROR)
        except (TooSlowError, PoolClosedError):
            response = gateway_error(HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(response.status, (*response.headers, ("apigw-requestid", request_id)), response.body)


def _host(authority: str) -> str:
    return authority.lower().removesuffix(":80")  # http's own port, which no browser sends


def _goes_home(method: str, path: str) -> bool:
    """Say whether the function itself answers a foreign Host, with a redirect to the base URL."""
    return method == "GET" and (path == "/" or path.startswith("/authorize/"))


class Front:
    """A running front."""

    def __init__(self, server: HttpServer, url: str) -> None:
        self._server = server
        self.port = server.port
        self.url = url

    def close(self) -> None:
        """Stop serving. Safe to call twice."""
        self._server.close()


def serve_front(
    port: int | socket.socket,
    *,
    routes: Sequence[Route],
    functions: Mapping[str, Invokable],
    base_url: str | None = None,
    account: str = "123456789012",
    log: Callable[[str], None] = print,
    now: Callable[[], float] = time.time,
) -> Front:
    """Serve the routes on loopback, and the example platform.

    ``port`` is a port, 0 for any, or a bound loopback socket that the front takes over. ``base_url`` is the
    API's own URL, by default ``http://127.0.0.1:<port>``. Raises PortInUseError, and ValueError for a route
    without function.
    """
    for route in routes:
        if route.function not in functions:
            raise ValueError(f"no function {route.function} for {route.key}")
    listener = listen(port, "PORT") if isinstance(port, int) else port
    number: int = listener.getsockname()[1]
    url = (base_url or f"http://{LOOPBACK}:{number}").rstrip("/")
    gateway = Gateway(
        routes=tuple(routes),
        functions=functions,
        host=_host(urlsplit(url).netloc),
        port=number,
        account=account,
        example=PlatformPage(url).answer,
        log=log,
        now=now,
    )
    return Front(HttpServer(listener, gateway.answer, LIMITS, name="front"), url)
