"""brokerlink.web.edge: whatever comes in and whatever breaks, something useful goes out."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from brokerlink.aws import AwsClients
from brokerlink.errors import FAILURES, Code
from brokerlink.outcomes import Budget
from brokerlink.storage import Conflict, Refused, StorageError
from brokerlink.telemetry import Telemetry
from brokerlink.web.edge import Edge, Route, failure_page
from brokerlink.web.request import BadRequest, WebRequest
from brokerlink.web.responses import Response, page
from tests.kit.world import Context, Reply

_NUMBERS = itertools.count()


class Bench:
    """An edge with four routes that do what the test says."""

    def __init__(self, act: Callable[[WebRequest, Budget], Response], base_url: str | None = None) -> None:
        self.log = io.StringIO()
        self.budgets: list[Budget] = []
        self.aws = AwsClients()

        def answer(request: WebRequest, budget: Budget) -> Response:
            self.budgets.append(budget)
            return act(request, budget)

        self.edge = Edge(
            {
                "GET /page": Route(answer),
                "POST /page": Route(answer),
                "GET /backend": Route(answer, backend=True),
                "POST /backend": Route(answer, backend=True),
            },
            base_url,
            Telemetry(Logger(service=f"edge-{next(_NUMBERS)}", stream=self.log)),
            self.aws,
            lambda: 1000.0,
        )

    def send(
        self,
        route: str = "GET /page",
        remaining: int = 28_000,
        method: str | None = None,
        headers: Mapping[str, str] = {},
    ) -> Reply:
        verb, path = route.split() if " " in route else ("GET", "/")
        event = {
            "routeKey": route,
            "rawPath": path,
            "headers": headers,
            "requestContext": {
                "http": {"method": method or verb},
                "domainName": "login.example.com",
                "stage": "$default",
            },
        }
        return Reply(self.edge(event, Context(remaining)))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def good(_request: WebRequest, _budget: Budget) -> Response:
    return page("<!doctype html>good")


def raising(error: Exception) -> Callable[[WebRequest, Budget], Response]:
    def act(_request: WebRequest, _budget: Budget) -> Response:
        raise error

    return act


def test_route_answers() -> None:
    reply = Bench(good).send()
    assert (reply.status, reply.body) == (200, "<!doctype html>good")


@pytest.mark.parametrize("route", ["GET /other", "$default", "DELETE /page", "OPTIONS /page"])
def test_unknown_route_is_a_404_page(route: str) -> None:
    bench = Bench(good)
    reply = bench.send(route)
    assert reply.status == 404
    assert reply.headers["content-type"].startswith("text/html")
    assert not bench.budgets


def test_head_consumes_nothing_even_where_the_route_is_a_get() -> None:
    bench = Bench(good)
    assert bench.send("GET /page", method="HEAD").status == 404
    assert not bench.budgets


@pytest.mark.parametrize("header", ["sec-purpose", "purpose"])
def test_prefetch_is_503_and_consumes_nothing(header: str) -> None:
    bench = Bench(good)
    assert bench.send(headers={header: "prefetch"}).status == 503
    assert not bench.budgets
    assert bench.send("POST /page", headers={header: "prefetch"}).status == 200


def test_backend_never_gets_a_page_for_a_header_of_browsers() -> None:
    assert Bench(good).send("GET /backend", headers={"sec-purpose": "prefetch"}).status == 200


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadRequest("the body is canary"), Code.INVALID_REQUEST),
        (StorageError("GetItem: canary"), Code.BUSY),
        (Conflict("GetItem: canary"), Code.BUSY),
        (Refused("GetItem: canary"), Code.BUSY),
        (RuntimeError("canary"), Code.INTERNAL),
        (RecursionError("canary"), Code.INTERNAL),
    ],
)
class TestWhateverBreaks:
    def test_browser_gets_the_codes_page(self, error: Exception, code: Code) -> None:
        reply = Bench(raising(error)).send(headers={"accept": "text/html"})
        assert reply.status == FAILURES[code].status
        # A malformed request is told what is wrong with it, in our own words; the others get their code's text.
        told = isinstance(error, BadRequest)
        assert (FAILURES[code].text in reply.body) is not told
        assert ("canary" in reply.body) is told
        assert reply.headers["cache-control"] == "no-store"
        # A way forward: this page again where that helps, else the start page.
        assert 'href="/"' in reply.body or 'href=""' in reply.body

    @pytest.mark.parametrize(("route", "accept"), [("POST /backend", "text/html"), ("GET /page", "application/json")])
    def test_program_gets_json(self, error: Exception, code: Code, route: str, accept: str) -> None:
        reply = Bench(raising(error)).send(route, headers={"accept": accept})
        assert reply.status == FAILURES[code].status
        assert reply.json.keys() == {"error", "message"}
        assert reply.json["error"] == code

    def test_log_names_it_without_its_message_where_that_may_quote(self, error: Exception, code: Code) -> None:
        bench = Bench(raising(error))
        bench.send()
        (line,) = bench.lines()
        assert ("canary" in json.dumps(line)) is (code is not Code.INTERNAL)
        assert (line["level"] == "ERROR") is (code is Code.INTERNAL)


def test_crash_is_located_in_the_log() -> None:
    bench = Bench(raising(ValueError("canary")))
    bench.send()
    (line,) = bench.lines()
    assert line["error"] == "ValueError"
    assert line["trace"][-1].endswith(" act")


@pytest.mark.parametrize(
    "event", [{}, {"version": "1.0"}, {"routeKey": "GET /page", "body": "é", "isBase64Encoded": True}]
)
@pytest.mark.parametrize(
    ("base_url", "secure"), [(None, True), ("https://a.example", True), ("http://localhost", False)]
)
def test_what_is_no_event_gets_a_page_too(event: dict[str, Any], base_url: str | None, *, secure: bool) -> None:
    reply = Reply(Bench(good, base_url).edge(event, Context()))
    assert reply.status == 400
    assert ("strict-transport-security" in reply.headers) is secure


@pytest.mark.parametrize(
    ("base_url", "secure"), [(None, True), ("https://a.example", True), ("http://localhost", False)]
)
def test_hsts_follows_the_public_base_url(base_url: str | None, *, secure: bool) -> None:
    assert ("strict-transport-security" in Bench(good, base_url).send().headers) is secure


@pytest.mark.parametrize(("remaining", "answer_by", "ends"), [(28_000, 1025.0, 1028.0), (20_000, 1017.0, 1020.0)])
def test_budget_is_a_page_within_25_seconds_and_3_before_the_end(remaining: int, answer_by: float, ends: float) -> None:
    bench = Bench(good)
    bench.send(remaining=remaining)
    assert bench.budgets == [Budget(answer_by=answer_by, ends=ends)]
    assert bench.aws.no_try_after == answer_by - 3.0


@pytest.mark.parametrize("code", [Code.BUSY, Code.BROKER_UNAVAILABLE, Code.APP_MISCONFIGURED])
def test_page_of_what_consumed_nothing_loads_its_own_url_again(code: Code) -> None:
    made = failure_page(code, broker="Pocketful")
    assert made.status == FAILURES[code].status == 503
    assert 'href=""' in made.body
