"""brokerlink.web.site: our own addresses, at the root, below a path, below a stage."""

from __future__ import annotations

import pytest

from brokerlink.web.request import WebRequest
from brokerlink.web.site import Site


def site(configured: str | None = None, stage: str = "$default") -> Site:
    context = {"http": {"method": "GET"}, "domainName": "api.example.com", "stage": stage}
    event = {"routeKey": "GET /", "rawPath": "/", "headers": {"host": "evil.example"}, "requestContext": context}
    return Site.of(WebRequest.from_event(event), configured)


@pytest.mark.parametrize(
    ("made", "home", "callback", "retry"),
    [
        (
            site(),
            "/",
            "https://api.example.com/callback/pocketful",
            "/authorize/pocketful?retry=a-_",
        ),
        (
            site(stage="prod"),
            "/prod/",
            "https://api.example.com/prod/callback/pocketful",
            "/prod/authorize/pocketful?retry=a-_",
        ),
        (
            site("https://login.example.com", stage="prod"),
            "/",
            "https://login.example.com/callback/pocketful",
            "/authorize/pocketful?retry=a-_",
        ),
        (
            site("https://www.example.com/brokers"),
            "/brokers/",
            "https://www.example.com/brokers/callback/pocketful",
            "/brokers/authorize/pocketful?retry=a-_",
        ),
        (
            site("http://127.0.0.1:8000"),
            "/",
            "http://127.0.0.1:8000/callback/pocketful",
            "/authorize/pocketful?retry=a-_",
        ),
    ],
)
def test_addresses(made: Site, home: str, callback: str, retry: str) -> None:
    assert made.path("/") == home
    assert made.callback("pocketful") == callback
    assert made.retry("pocketful", "a-_") == retry
    assert made.url("/x") == made.base_url + "/x"


def test_query_is_encoded_once() -> None:
    assert site().path("/result", attempt="a+b &c", wait="1") == "/result?attempt=a%2Bb+%26c&wait=1"
    assert site().url("/x", a="é") == "https://api.example.com/x?a=%C3%A9"


def test_only_plain_http_is_not_secure() -> None:
    assert site().secure
    assert site().cookies.key_name == "__Host-brokerlink"
    plain = site("http://127.0.0.1:8000")
    assert not plain.secure
    assert plain.cookies.key_name == "brokerlink"
