"""The edge of an HTTP function: events in, answers out, and whatever breaks becomes a page with a way forward."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from brokerlink.aws import AwsClients
from brokerlink.errors import FAILURES, Code
from brokerlink.outcomes import Budget
from brokerlink.storage import StorageError
from brokerlink.telemetry import Telemetry
from brokerlink.web import pages
from brokerlink.web.request import BadRequest, WebRequest
from brokerlink.web.responses import Response, json_answer, page
from brokerlink.web.site import Site

# A page within 25 seconds; the gateway gives up after 30. An AWS call that begins 3 seconds before still ends.
_ANSWER_SECONDS: Final = 25.0
_LAST_CALL_SECONDS: Final = 3.0


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Give the time that the invocation has left."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route's answer. `backend` routes are called by programs: all that they answer is JSON."""

    answer: Callable[[WebRequest, Budget], Response]
    backend: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """Turns an event into a request, finds its route and gives the answer in payload format 2.0."""

    routes: Mapping[str, Route]
    base_url: str | None
    telemetry: Telemetry
    aws: AwsClients
    monotonic: Callable[[], float] = time.monotonic

    def __call__(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one event. Raises nothing."""
        budget = self._budget(context)
        self.aws.no_try_after = budget.answer_by - _LAST_CALL_SECONDS
        try:
            request = WebRequest.from_event(event)
        except BadRequest:
            self.telemetry.refused("invalid_event")
            response = failure_page(Code.INVALID_REQUEST)
        else:
            response = self._answer(request, budget)
        return response.payload(secure=self.base_url is None or self.base_url.startswith("https:"))

    def _budget(self, context: LambdaContext) -> Budget:
        now, left = self.monotonic(), context.get_remaining_time_in_millis() / 1000
        return Budget(answer_by=now + min(_ANSWER_SECONDS, left - _LAST_CALL_SECONDS), ends=now + left)

    def _answer(self, request: WebRequest, budget: Budget) -> Response:
        route = self.routes.get(request.route)
        if route is None or request.method == "HEAD":
            return page(pages.notice("There is nothing here", "This address does not lead anywhere.", href=None), 404)
        if request.method == "GET" and request.is_prefetch and not route.backend:
            return page(pages.notice("Not yet", "This page opens when you go to it.", href=None), 503)
        try:
            return route.answer(request, budget)
        except BadRequest as error:
            self.telemetry.refused("invalid_request", why=str(error))
            return self._bad_request(request, route, error)
        except StorageError as error:
            self.telemetry.storage(error)
            return self._fail(request, route, Code.BUSY, "the table cannot be asked just now; try again")
        except Exception as error:  # noqa: BLE001 - the last line: a customer gets a page whatever broke
            self.telemetry.crashed(error)
            return self._fail(request, route, Code.INTERNAL, "something broke on our side")

    def _bad_request(self, request: WebRequest, route: Route, error: BadRequest) -> Response:
        if route.backend or request.wants_json:
            return json_error(Code.INVALID_REQUEST, str(error))
        # Whoever wrote the link reads this page too.
        text = f"The address that brought you here cannot be used: {error}. Nothing has changed."
        home_href = Site.of(request, self.base_url).path("/")
        return page(pages.notice("This link is not right", text, href=home_href), FAILURES[Code.INVALID_REQUEST].status)

    def _fail(self, request: WebRequest, route: Route, code: Code, message: str) -> Response:
        if route.backend or request.wants_json:
            return json_error(code, message)
        return failure_page(code, home_href=Site.of(request, self.base_url).path("/"))


def failure_page(code: Code, *, home_href: str = "/", broker: str | None = None) -> Response:
    """Give the page of a code, answered in place with the code's own status."""
    failure = FAILURES[code]
    if code in {Code.BUSY, Code.BROKER_UNAVAILABLE, Code.APP_MISCONFIGURED}:
        return page(pages.in_place(failure.title, failure.text, broker=broker), failure.status)
    return page(pages.failed(failure.title, failure.text, now=0, home_href=home_href, broker=broker), failure.status)


def json_error(code: Code, message: str, status: int | None = None) -> Response:
    """Give a failure as JSON; `message` says what to do."""
    return json_answer({"error": code, "message": message}, status or FAILURES[code].status)


def not_our_page() -> Response:
    """Refuse the JSON form of a browser's route to another site's script, and say why."""
    return json_error(
        Code.INVALID_REQUEST,
        "this JSON is for pages of our own origin: another site's script could never keep the browser's cookie. "
        "Link to /authorize/{broker} instead, or use POST /sessions and GET /attempts",
        403,
    )
