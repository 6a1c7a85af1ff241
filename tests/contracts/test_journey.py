"""Whole logins over HTTP: each answer is as contracts/openapi.yaml says, and each promised one is met."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from local.stack import Stack
from tests.integration.walker import Walker, attempt_of
from tests.kit.contract import CONTRACTS, breaches, operations, promised, route_of
from tests.kit.listener import Listener

type Answer = tuple[str, str, str | None]

NOBODYS = "A" * 43
JSON, PAGE = "application/json", "text/html"
FORM = "application/x-www-form-urlencoded"
# tests/attacks/test_every_answer.py meets these without HTTP, in stacks with other settings and in trouble; the
# gateway's 429 is its own.
NOT_MET_HERE = {"406", "429", "500"}
ELSEWHERE: set[Answer] = {
    ("GET /authorize/{broker}", "403", PAGE),
    *((route, "503", JSON) for route, _, _ in promised()),
    ("POST /callback/{broker}", "503", PAGE),
}


class Witness(Walker):
    """A browser and a backend that check every answer of ours against the document, and keep what they met."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.met: set[Answer] = set()
        self.http.event_hooks["response"].append(self._check)

    def _check(self, response: httpx.Response) -> None:
        response.read()
        route = route_of(f"{response.request.method} {response.request.url.raw_path.decode()}")
        headers = {name.lower(): value for name, value in response.headers.items()}
        assert not list(breaches(route, response.status_code, headers, response.text)), str(response.request.url)
        # API Gateway names a media type for an empty body too.
        media_type = headers["content-type"].partition(";")[0] if response.text else None
        self.met.add((route, str(response.status_code), media_type))

    def both(self, target: str, **headers: str) -> None:
        """Ask as a browser that navigates, and as a script of our own page."""
        self.get(target, accept=PAGE, **headers)
        self.get(target, accept=JSON, **headers)

    def post(self, broker: str, body: str, *, content_type: str = FORM, accept: str = PAGE) -> None:
        target = f"{self.stack.base_url}/callback/{broker}"
        self.http.post(target, content=body, headers={"content-type": content_type, "accept": accept})


def direct_login(browser: Witness) -> None:
    begun = browser.get("/authorize/pocketful", accept=JSON).json()
    callback = browser.at_broker(begun["authorization_url"])
    result = f"/result?attempt={begun['attempt_id']}"
    browser.both(result)
    finished = browser.get(callback)
    assert attempt_of(finished) == begun["attempt_id"]
    assert "brokerlink-links" in finished.headers["set-cookie"]
    browser.both(result)
    assert browser.get(f"{result}&wait=1").status_code == 303
    assert browser.backend("GET", f"/attempts/{begun['attempt_id']}").json()["account"] == "YA0002"
    browser.get("/")


def declined_login(browser: Witness) -> None:
    finished = browser.get(browser.at_broker(browser.start("pocketful"), button=1))
    outcome = browser.result(finished)
    assert outcome["error"] == "denied"
    assert browser.get(outcome["retry_url"]).status_code == 303
    browser.backend("GET", f"/attempts/{outcome['attempt_id']}")


def held_login(browser: Witness) -> None:
    start_url = browser.session(broker="pocketful", user_id="user-1", return_to=f"{browser.stack.base_url}/example/")
    finished = browser.get(browser.at_broker(browser.open(start_url)))
    body = {"attempt": attempt_of(finished), "user_id": "user-1"}
    assert browser.result(finished)["status"] == "confirm"
    assert browser.backend("POST", "/confirm", body).json()["broker"] == "pocketful"
    assert browser.backend("GET", f"/attempts/{body['attempt']}").json()["user_id"] == "user-1"
    browser.both(start_url)
    assert browser.get(start_url).status_code == 410


def ended_connection(browser: Witness) -> None:
    start_url = browser.session(broker="pocketful", user_id="user-2", account="YA0002")
    attempt = attempt_of(browser.get(browser.at_broker(browser.open(start_url))))
    (listed,) = browser.backend("GET", "/connections/user-2").json()["connections"]
    assert (listed["attempt_id"], listed["account"]) == (attempt, "YA0002")
    for status in (200, 404):
        assert browser.backend("DELETE", "/connections/user-2/pocketful/YA0002").status_code == status
    assert browser.backend("GET", "/connections/user-2").json() == {"connections": []}


def posted_callback(browser: Witness) -> None:
    browser.post("fivepaisa", f"RequestToken=a&state={NOBODYS}&other=1")
    browser.post("fivepaisa", "RequestToken=a&RequestToken=b")
    browser.post("fivepaisa", "{}", content_type=JSON)


def refused_browser(browser: Witness) -> None:
    for target in (
        "/authorize/nobody",
        "/authorize/pocketful?session=short",
        f"/authorize/pocketful?retry={NOBODYS}",
        "/callback/nobody",
        "/callback/pocketful",
        f"/callback/pocketful?code=a&state={NOBODYS}",
        "/result",
        "/result?error=denied",
        "/result?error=nothing",
    ):
        browser.both(target)
    for target in ("/", "/authorize/pocketful", "/callback/pocketful", "/result"):
        browser.get(target, **{"sec-purpose": "prefetch"})
    for target in ("/authorize/pocketful", "/result"):
        browser.both(target, **{"sec-fetch-site": "cross-site"})
    for accept in (PAGE, JSON):
        browser.post("nobody", "", accept=accept)
    browser.get("/", host="elsewhere.example")
    browser.get("/authorize/pocketful", host="elsewhere.example")


def refused_backend(browser: Witness) -> None:
    for method, path in (
        ("POST", "/sessions"),
        ("POST", "/confirm"),
        ("GET", f"/attempts/{NOBODYS}"),
        ("GET", "/connections/user+1"),
        ("DELETE", "/connections/user-1/Pocketful/YA0002"),
    ):
        browser.backend(method, path, secret="another")
        browser.backend(method, path)
    browser.backend("POST", "/confirm", {"attempt": NOBODYS, "user_id": "user-1"})


def undecodable_path(browser: Witness) -> None:
    """The gateway refuses it before anything of ours is asked."""
    for target in ("/authorize/%25zz", "/callback/%25zz", "/attempts/%25zz", "/connections/%25zz"):
        browser.get(target)
    browser.get("/connections/a%2Fb")
    browser.post("%25zz", "")


def head_too_large(browser: Witness) -> None:
    """The gateway refuses it before it looks for a route."""
    for route in operations():
        method, path = route.split(" ")
        browser.http.request(method, browser.stack.base_url + quote(path, safe="/"), headers={"filler": "a" * 10_240})


@pytest.fixture(scope="module")
def met(stack: Stack) -> set[Answer]:
    found: set[Answer] = set()
    for journey in (
        direct_login,
        declined_login,
        held_login,
        ended_connection,
        posted_callback,
        refused_browser,
        refused_backend,
        undecodable_path,
        head_too_large,
    ):
        browser = Witness(stack)
        journey(browser)
        found |= browser.met
    return found


def test_real_end_of_a_connection_is_told_as_its_schema_says(stack: Stack) -> None:
    walker, listener = Walker(stack), Listener(stack)
    start_url = walker.session(broker="pocketful", user_id="user-3", account="YA0002")
    attempt = attempt_of(walker.get(walker.at_broker(walker.open(start_url))))
    walker.backend("DELETE", "/connections/user-3/pocketful/YA0002")
    event = listener.wait_for(f"{attempt}.revoked")
    event_of = json.loads((CONTRACTS / "token.revoked.v1.schema.json").read_text())
    Draft202012Validator(event_of, format_checker=FormatChecker()).validate(event)


def test_real_event_is_as_its_schema_says(stack: Stack) -> None:
    event_of = json.loads((CONTRACTS / "token.issued.v1.schema.json").read_text())
    for broker in ("pocketful", "fivepaisa"):
        attempt = attempt_of(Walker(stack).log_in(broker))
        event = stack.received.wait_for(partial(_is_of, attempt))
        Draft202012Validator(event_of, format_checker=FormatChecker()).validate(event)


def _is_of(attempt: str, event: dict[str, Any]) -> bool:
    return bool(event["id"] == attempt)


def test_every_promised_answer_is_met(met: set[Answer]) -> None:
    assert {answer for answer in promised() - met if answer[1] not in NOT_MET_HERE} == ELSEWHERE & promised()
