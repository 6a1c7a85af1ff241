"""A library's error quotes what it choked on: none hangs on an error of ours, where a collector would find it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brokerlink.brokers import make_broker
from brokerlink.fields import check_url
from brokerlink.outcomes import Budget
from brokerlink.reader import TokenReader
from brokerlink.settings import broker_apps
from brokerlink.web.bodies import json_texts
from brokerlink.web.request import BadRequest, WebRequest, decode_form
from tests.kit.world import world

CONTEXT = {"http": {"method": "POST"}, "domainName": "login.example.com", "stage": "$default"}
EVENT = {"routeKey": "POST /sessions", "rawPath": "/sessions", "requestContext": CONTEXT}


def request(body: str) -> WebRequest:
    return WebRequest.from_event({**EVENT, "body": body})


CALLS: dict[str, Callable[[], object]] = {
    "event without its parts": lambda: WebRequest.from_event({"canary": "canary"}),
    "event with a host that is none": lambda: WebRequest.from_event(
        {**EVENT, "requestContext": {**CONTEXT, "domainName": "canary/"}}
    ),
    "body that is no base64": lambda: WebRequest.from_event({**EVENT, "body": "canary!", "isBase64Encoded": True}),
    "parameter that is no UTF-8": lambda: decode_form("code=canary%ff"),
    "body that is no JSON": lambda: json_texts(request('{"canary": '), required=("attempt",)),
    "apps that are no JSON": lambda: broker_apps('{"canary": '),
    "apps that name something twice": lambda: broker_apps('{"canary": 1, "canary": 2}'),
    "port that is none": lambda: check_url("ReturnTo", "https://x.example:canary/", loopback=False),
    "choice that is none": lambda: make_broker("pocketful", {"client_id": "a", "client_auth": "canary"}),
    "announced event that is no JSON": lambda: TokenReader("Tokens").get('{"canary": '),
    "announced event without its parts": lambda: TokenReader("Tokens").get({"data": {"user_id": ["canary"]}}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_nothing_hangs_on_the_error(call: Callable[[], object]) -> None:
    with pytest.raises(Exception, match=r"^(?!.*canary)") as raised:
        call()
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None


def test_nothing_hangs_on_the_error_for_a_code_that_is_not_listed() -> None:
    with world() as made:
        function, event = made.event("GET", "/result?error=canary")
        route, asked = made.functions[function].routes["GET /result"], WebRequest.from_event(event)
        with pytest.raises(BadRequest) as raised:
            route.answer(asked, Budget(answer_by=made.clock.now + 25, ends=made.clock.now + 28))
    assert "canary" not in str(raised.value)
    assert raised.value.__context__ is None
