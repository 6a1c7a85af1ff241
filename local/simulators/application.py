"""What is done with each request: who may ask, what is recorded, which fault it meets, who answers it."""

import secrets
from collections.abc import Iterable

from werkzeug.wrappers import Request, Response

from local.simulators.control import PREFIX, Control
from local.simulators.delivery import Answer, Manner
from local.simulators.faults import Fault, FaultKind, Faults
from local.simulators.pages import message_page
from local.simulators.recorder import RecordedRequest, Recorder
from local.simulators.responses import respond
from local.simulators.routes import Route

_OVERSIZED_BYTES = 1024 * 1024
_FOR_PROGRAMS = frozenset({"token", "identity"})
_SPOILT_DELIVERY = {
    FaultKind.RESET_AFTER: Manner.RESET,
    FaultKind.DRIP_HEADERS: Manner.DRIP_HEADERS,
    FaultKind.DRIP_BODY: Manner.DRIP_BODY,
    FaultKind.TRUNCATED: Manner.TRUNCATED,
}


class Application:
    """Both simulators and their control endpoints, behind one port."""

    def __init__(self, routes: Iterable[Route], hosts: frozenset[str]) -> None:
        """`hosts`: the values of the Host header that are answered."""
        self._routes = {route.path: route for route in routes}
        self._hosts = hosts
        endpoints: dict[str, set[str]] = {}
        for route in self._routes.values():
            if route.can_fail:
                endpoints.setdefault(route.broker, set()).add(route.endpoint)
        self.faults = Faults({broker: frozenset(names) for broker, names in endpoints.items()})
        self.recorder = Recorder()
        self._control = Control(self.faults, self.recorder)

    def answer(self, request: Request) -> Answer:
        # A page that had a name of its own resolve to loopback still sends that name.
        if request.headers.get("Host", "").lower() not in self._hosts:
            return Answer(respond("Forbidden: unknown host.\n", status=403, content_type="text/plain"))
        if request.path.startswith(PREFIX):
            return Answer(self._control.respond(request))
        route = self._routes.get(request.path)
        if route is None:
            text = "Neither broker has a page at this address."
            return Answer(message_page("broker", title="Not found", text=text, status=404))
        self.recorder.add(_record(route, request))
        fault = self.faults.take(route.broker, route.endpoint)
        return Answer(_answered(route, request)) if fault is None else _spoilt(fault, route, request)


def _answered(route: Route, request: Request) -> Response:
    response = route.handler(request)
    if route.endpoint in _FOR_PROGRAMS:
        # As what stands before a real broker's servers does: it must not come back with another customer's request.
        response.headers.add("Set-Cookie", f"visitor={secrets.token_urlsafe(24)}; Path=/; HttpOnly")
    return response


def _spoilt(fault: Fault, route: Route, request: Request) -> Answer:
    match fault.kind:
        case FaultKind.STATUS:
            return Answer(_gateway_page(fault.status, request))
        case FaultKind.HTML:
            return Answer(_gateway_page(200, request))
        case FaultKind.HANG:
            return Answer(Response(), Manner.NEVER)
        case FaultKind.RESET:
            return Answer(Response(), Manner.RESET)
        case FaultKind.OVERSIZED:
            return Answer(_padded(route.handler(request)))
        case _:
            return Answer(route.handler(request), _SPOILT_DELIVERY[fault.kind])


def _gateway_page(status: int, request: Request) -> Response:
    text = f"The simulator was told to answer this request with HTTP status {status}."
    page = message_page("broker", title="Fault", text=text, status=status)
    if status in {429, 503}:
        page.headers["Retry-After"] = "60"
    if status in {301, 302, 303, 307, 308}:
        # Back to the same place, so that a client which follows shows up as a second request.
        page.headers["Location"] = request.full_path.rstrip("?")
    return page


def _padded(response: Response) -> Response:
    """White space, which changes the meaning of neither JSON nor HTML: only a cap refuses it."""
    response.set_data(response.get_data() + b" " * _OVERSIZED_BYTES)
    return response


def _record(route: Route, request: Request) -> RecordedRequest:
    return RecordedRequest(
        broker=route.broker,
        endpoint=route.endpoint,
        method=request.method,
        headers=dict(request.headers),
        query=request.query_string.decode("latin-1"),
        body=request.get_data().decode("utf-8", "replace"),
    )
