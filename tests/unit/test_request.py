"""brokerlink.web.request: events of payload format 2.0, and what their headers and queries say."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerlink.web.request import BadRequest, WebRequest, decode_form, single


def event(**changes: Any) -> dict[str, Any]:
    context = {"http": {"method": "GET", "path": "/"}, "domainName": "login.example.com", "stage": "$default"}
    return {"routeKey": "GET /", "rawPath": "/", "rawQueryString": "", "requestContext": context} | changes


def request(*, stage: str = "$default", host: str = "login.example.com", path: str = "/", **headers: str) -> WebRequest:
    made = event(rawPath=path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    made["requestContext"] |= {"stage": stage, "domainName": host}
    return WebRequest.from_event(made)


# ---------------------------------------------------------------- events


def test_an_event_without_optional_parts_is_a_request() -> None:
    read = WebRequest.from_event(event())
    assert (read.query, read.cookies, read.body, read.headers, read.path_parameters) == ("", (), b"", {}, {})


def test_each_part_is_read_from_its_place() -> None:
    read = WebRequest.from_event(
        event(
            routeKey="GET /callback/{broker}",
            rawPath="/callback/pocketful",
            rawQueryString="code=a%20b",
            headers={"accept": "text/html"},
            cookies=["a=1", "b=2"],
            pathParameters={"broker": "pocketful"},
        )
    )
    assert (read.route, read.method, read.path) == ("GET /callback/{broker}", "GET", "/callback/pocketful")
    assert (read.query, read.cookies) == ("code=a%20b", ("a=1", "b=2"))
    assert (read.headers, read.path_parameters) == ({"accept": "text/html"}, {"broker": "pocketful"})
    assert (read.host, read.stage) == ("login.example.com", "$default")


def test_absent_and_null_are_the_same() -> None:
    nulls = event(headers=None, rawQueryString=None, cookies=None, pathParameters=None, body=None)
    assert WebRequest.from_event(nulls) == WebRequest.from_event(event())


def test_header_names_are_read_in_lower_case() -> None:
    assert request(SEC_Fetch_Site="cross-site").is_cross_site


@pytest.mark.parametrize(
    ("body", "encoded", "read"),
    [
        ("state=a%20b", False, b"state=a%20b"),
        (base64.b64encode(b"state=\xff\x00").decode(), True, b"state=\xff\x00"),
        ("é", False, "é".encode()),
        ("", True, b""),
    ],
)
def test_body_is_read_as_bytes(body: str, *, encoded: bool, read: bytes) -> None:
    assert WebRequest.from_event(event(body=body, isBase64Encoded=encoded)).body == read


@pytest.mark.parametrize(
    "hostile",
    [
        {},
        {"version": "1.0", "httpMethod": "GET", "path": "/"},
        event(requestContext=None),
        event(requestContext={}),
        event(requestContext={"http": {"method": "GET"}, "domainName": "x"}),
        event(requestContext={"http": {"method": "GET"}, "domainName": None, "stage": "$default"}),
        event(requestContext={"http": "GET", "domainName": "x", "stage": "$default"}),
        event(rawPath=None),
        event(headers=["accept"]),
        event(headers={1: "x"}),
        event(cookies=7),
        event(body={"a": 1}),
        event(body="\ud800"),
        event(rawPath="/\ud800"),
        event(rawQueryString="\ud800"),
        event(headers={"accept": "\ud800"}),
        event(cookies=["\ud800"]),
        event(body="not base64!", isBase64Encoded=True),
        event(body="YQ", isBase64Encoded=True),
        event(body="YQ==\n", isBase64Encoded=True),
        event(body="é===", isBase64Encoded=True),
    ],
)
def test_anything_else_is_a_bad_request(hostile: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        WebRequest.from_event(hostile)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("stage", "raw", "path"),
    [
        ("$default", "/result", "/result"),
        ("$default", "/", "/"),
        ("prod", "/prod/result", "/result"),
        ("prod", "/prod/", "/"),
        ("prod", "/prod", ""),
        # Behind a custom domain's API mapping the stage is not in the path.
        ("prod", "/result", "/result"),
        ("prod", "/product", "/product"),
        ("auth", "/authorize/pocketful", "/authorize/pocketful"),
        ("prod", "/prod/prod/", "/prod/"),
    ],
)
def test_path_is_the_one_below_the_stage(stage: str, raw: str, path: str) -> None:
    assert request(stage=stage, path=raw).path == path


def test_repr_shows_no_secret() -> None:
    made = event(
        rawPath="/attempts/canary",
        headers={"authorization": "canary"},
        rawQueryString="state=canary",
        cookies=["__Host-brokerlink=canary"],
        pathParameters={"attempt_id": "canary"},
        body="canary",
    )
    assert "canary" not in repr(WebRequest.from_event(made))


# ---------------------------------------------------------------- what headers say


@pytest.mark.parametrize(
    ("headers", "prefetch"),
    [
        ({"sec-purpose": "prefetch"}, True),
        ({"sec-purpose": "prefetch;prerender"}, True),
        ({"sec-purpose": "prefetch;anonymous-client-ip"}, True),
        ({"purpose": "prefetch"}, True),
        ({"Purpose": "Prefetch"}, True),
        ({"sec-purpose": "", "purpose": "prefetch"}, True),
        ({"sec-purpose": "pre", "purpose": "fetch"}, False),
        ({"sec-fetch-mode": "navigate"}, False),
        ({}, False),
    ],
)
def test_prefetch(headers: dict[str, str], *, prefetch: bool) -> None:
    assert request(**headers).is_prefetch is prefetch


@pytest.mark.parametrize(
    ("site", "cross", "may_read"),
    [
        (None, False, True),
        ("none", False, True),
        ("same-origin", False, True),
        ("same-site", False, False),
        ("cross-site", True, False),
        ("made-up", False, False),
        ("", False, False),
    ],
)
def test_fetch_metadata(site: str | None, *, cross: bool, may_read: bool) -> None:
    made = request() if site is None else request(sec_fetch_site=site)
    assert (made.is_cross_site, made.may_read_json) == (cross, may_read)


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        ("application/json", True),
        ("Application/JSON", True),
        ("application/json, text/plain, */*", True),
        ("application/json;charset=utf-8", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("text/html, application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_who_wants_json(accept: str, *, json: bool) -> None:
    assert request(accept=accept).wants_json is json


def test_a_browser_that_says_nothing_navigates_without_a_body() -> None:
    assert not request().wants_json
    assert request().content_type == ""


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
        ("Application/X-WWW-Form-Urlencoded ; charset=UTF-8", "application/x-www-form-urlencoded"),
        ("multipart/form-data; boundary=application/x-www-form-urlencoded", "multipart/form-data"),
        ("", ""),
    ],
)
def test_content_type(header: str, read: str) -> None:
    assert request(content_type=header).content_type == read


# ---------------------------------------------------------------- where it came to


def test_base_url_is_the_configured_one_or_the_gateways_own() -> None:
    spoofed = {"host": "evil.example", "x_forwarded_host": "evil.example", "forwarded": "host=evil.example"}
    made = request(host="LOGIN.example.com", **{name: value for name, value in spoofed.items() if name != "host"})
    assert made.base_url(None) == "https://login.example.com"
    assert made.base_url("https://brokers.example.com/x") == "https://brokers.example.com/x"
    assert request(stage="prod").base_url(None) == "https://login.example.com/prod"


@pytest.mark.parametrize("host", ["", ":", "my_host", "a-b.example.com", "127.0.0.1", "localhost:", "localhost:8000"])
def test_host_is_a_name_with_or_without_a_port(host: str) -> None:
    assert request(host=host).host == host


@pytest.mark.parametrize(
    ("host", "base_url", "elsewhere"),
    [
        ("login.example.com", "https://login.example.com", False),
        ("LOGIN.EXAMPLE.COM", "https://login.example.com", False),
        ("login.example.com", "https://Login.Example.com/brokers", False),
        ("login.example.com:443", "https://login.example.com", False),
        ("login.example.com", "https://login.example.com:443", False),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", False),
        ("127.0.0.1", "http://127.0.0.1:80", False),
        ("127.0.0.1:8001", "http://127.0.0.1:8000", True),
        ("localhost:8000", "http://127.0.0.1:8000", True),
        ("login.example.com:80", "https://login.example.com", True),
        ("login.example.com:8443", "https://login.example.com", True),
        ("abc.execute-api.ap-south-1.amazonaws.com", "https://login.example.com", True),
        ("login.example.com.evil.example", "https://login.example.com", True),
    ],
)
def test_elsewhere_is_another_host_or_port(host: str, base_url: str, *, elsewhere: bool) -> None:
    assert request(host=host).is_elsewhere(base_url) is elsewhere


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", []),
        ("code=a", [("code", "a")]),
        ("code=a+b", [("code", "a b")]),
        ("code=a%2Bb", [("code", "a+b")]),
        ("code=a%20b", [("code", "a b")]),
        ("code=a%252Bb", [("code", "a%2Bb")]),
        ("code=a%2526b", [("code", "a%26b")]),
        ("code=a%26state%3Db", [("code", "a&state=b")]),
        ("code=a,b", [("code", "a,b")]),
        ("code=a;state=b", [("code", "a;state=b")]),
        ("code==a=", [("code", "=a=")]),
        ("code", [("code", "")]),
        ("&&code=a&", [("code", "a")]),
        ("=a", [("", "a")]),
        ("c%6Fde=a", [("code", "a")]),
        ("code=%zz%4", [("code", "%zz%4")]),
        ("code=%C3%A9", [("code", "é")]),
        ("code=é", [("code", "é")]),
        ("code=%00", [("code", "\0")]),
        ("code=a&code=b", [("code", "a"), ("code", "b")]),
    ],
)
def test_form_is_decoded_exactly_once(query: str, pairs: list[tuple[str, str]]) -> None:
    assert decode_form(query) == pairs


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=5))
def test_what_was_encoded_is_what_is_decoded(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    assert decode_form(query) == pairs


@pytest.mark.parametrize("query", ["a=%ff", "%ff=a", "a=%c3", "a=%ed%a0%80", "a=%c0%af", "a=\ud800"])
def test_invalid_utf8_is_a_bad_request_that_quotes_nothing(query: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_form(query)
    assert str(caught.value) == "a parameter is not UTF-8"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("query", ["a=1&a=1", "a=1&b=2&a=3", "a&a", "%61=1&a=2", "=1&=2"])
def test_repeated_parameter_is_a_bad_request_even_with_the_same_value(query: str) -> None:
    with pytest.raises(BadRequest):
        single(decode_form(query))


def test_a_requests_parameters_are_its_querys() -> None:
    assert WebRequest.from_event(event(rawQueryString="a=%2B+&b")).parameters() == {"a": "+ ", "b": ""}
    with pytest.raises(BadRequest):
        WebRequest.from_event(event(rawQueryString="a=1&a=1")).parameters()


def test_names_differing_in_case_are_two_parameters() -> None:
    assert single(decode_form("a=1&A=2")) == {"a": "1", "A": "2"}
