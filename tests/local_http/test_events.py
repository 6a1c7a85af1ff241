import base64
import json

import pytest

from local.events import Arrival, Caller, http_api_event
from local.http1 import Request
from local.routing import Match, Route

ARRIVAL = Arrival("ATfSmjLgPHcESJw=", 1783711145766, "123456789012", 8000)
ROUTE = Route("POST", "/callback/{broker}", "callback")


def event_of(
    target: str = "/callback/pocketful",
    *headers: tuple[str, str],
    body: bytes = b"",
    caller: Caller | None = None,
) -> dict[str, object]:
    request = Request("POST", target, (("Host", "127.0.0.1:8000"), *headers), body)
    match = Match(ROUTE, {"broker": "pocketful"})
    return http_api_event(request, request.path, match, ARRIVAL, caller)


def test_an_event_is_payload_format_2_to_the_byte() -> None:
    event = event_of(
        "/callback/pocketful?code=a%2Bb+c&state=x&code=2",
        ("User-Agent", "curl/8.7.1"),
        ("Content-Type", "application/json"),
        ("X-Probe", "first"),
        ("x-probe", "second"),
        ("Cookie", "session=abc123; theme=dark"),
        ("Connection", "keep-alive"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Proto", "https"),
        body='{"message":"λ"}'.encode(),
    )
    expected = {
        "version": "2.0",
        "routeKey": "POST /callback/{broker}",
        "rawPath": "/callback/pocketful",
        "rawQueryString": "code=a%2Bb+c&state=x&code=2",
        "headers": {
            "content-length": "16",
            "content-type": "application/json",
            "host": "127.0.0.1:8000",
            "user-agent": "curl/8.7.1",
            "x-amzn-trace-id": "Root=1-6a5145a9-000000000000000000000000",
            "x-forwarded-for": "203.0.113.7, 127.0.0.1",
            "x-forwarded-port": "8000",
            "x-forwarded-proto": "http",
            "x-probe": "first,second",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "127.0.0.1:8000",
            "domainPrefix": "127",
            "http": {
                "method": "POST",
                "path": "/callback/pocketful",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "curl/8.7.1",
            },
            "requestId": "ATfSmjLgPHcESJw=",
            "routeKey": "POST /callback/{broker}",
            "stage": "$default",
            "time": "10/Jul/2026:19:19:05 +0000",
            "timeEpoch": 1783711145766,
        },
        "isBase64Encoded": False,
        "cookies": ["session=abc123", "theme=dark"],
        "queryStringParameters": {"code": "a+b c,2", "state": "x"},
        "pathParameters": {"broker": "pocketful"},
        "body": '{"message":"λ"}',
    }
    assert json.dumps(event) == json.dumps(expected)


def test_what_a_request_does_not_have_is_absent() -> None:
    event = event_of()
    assert {"cookies", "queryStringParameters", "body"}.isdisjoint(event)
    assert event["rawQueryString"] == ""
    assert event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert "authorizer" not in context


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("code=1&code=2&code=1", {"code": "1,2,1"}),
        ("code=1,2", {"code": "1,2"}),
        ("code=a%2Bb", {"code": "a+b"}),
        ("code=a+b", {"code": "a b"}),
        ("code=a%20b", {"code": "a b"}),
        ("code=a%252Bb", {"code": "a%2Bb"}),
        ("code=%0d%0aSet-Cookie:x", {"code": "\r\nSet-Cookie:x"}),
        ("code=%00", {"code": "\0"}),
        ("code=%ff%fe", {"code": "\ufffd\ufffd"}),
        ("code=%zz&state=%", {"code": "%zz", "state": "%"}),
        ("code", {"code": ""}),
        ("code=", {"code": ""}),
        ("=x", {"": "x"}),
        ("a=b=c", {"a": "b=c"}),
        ("c%6Fde=1&code=2", {"code": "1,2"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("a=?b", {"a": "?b"}),
        ("state=%F0%9F%94%91", {"state": "🔑"}),
        ("Code=1&code=2", {"Code": "1", "code": "2"}),
    ],
)
def test_a_hostile_query_is_raw_and_decoded_once(query: str, parameters: dict[str, str]) -> None:
    event = event_of(f"/callback/pocketful?{query}")
    assert event["rawQueryString"] == query
    assert event["queryStringParameters"] == parameters


@pytest.mark.parametrize("query", ["", "&", "&&"])
def test_a_query_of_nothing_gives_no_parameters(query: str) -> None:
    event = event_of(f"/callback/pocketful?{query}")
    assert event["rawQueryString"] == query
    assert "queryStringParameters" not in event


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        (["a=1; b=2"], ["a=1", "b=2"]),
        (["a=1", "b=2; a=3"], ["a=1", "b=2", "a=3"]),
        (["a=1;b=2;"], ["a=1", "b=2"]),
        (["a=1, b=2"], ["a=1, b=2"]),
        (['a="x y"; b=c=d'], ['a="x y"', "b=c=d"]),
        (["a=%3B%20"], ["a=%3B%20"]),
        (["novalue"], ["novalue"]),
    ],
)
def test_each_cookie_is_an_entry_and_no_header(headers: list[str], cookies: list[str]) -> None:
    event = event_of("/", *(("cookie", header) for header in headers))
    assert event["cookies"] == cookies
    assert isinstance(event["headers"], dict)
    assert "cookie" not in event["headers"]


@pytest.mark.parametrize("header", ["", ";", " ; "])
def test_an_empty_cookie_header_gives_no_cookies(header: str) -> None:
    assert "cookies" not in event_of("/", ("Cookie", header))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON; CHARSET=UTF-8",
        'application/json;charset="utf-8"',
        "application/xml",
        "application/javascript",
        "application/graphql",
        "text/plain",
        "text/plain; charset=utf-8",
        "text/html",
        "text/csv",
    ],
)
def test_a_text_body_is_plain(content_type: str) -> None:
    event = event_of("/", ("Content-Type", content_type), body="a=λ&b".encode())
    assert (event["body"], event["isBase64Encoded"]) == ("a=λ&b", False)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=text",
        "application/octet-stream",
        "application/problem+json",
        "text/plain; charset=iso-8859-1",
        "image/png",
        "",
        None,
    ],
)
def test_any_other_body_is_base64_form_posts_too(content_type: str | None) -> None:
    headers = () if content_type is None else (("Content-Type", content_type),)
    event = event_of("/", *headers, body=b"code=1&state=2")
    assert (event["body"], event["isBase64Encoded"]) == (base64.b64encode(b"code=1&state=2").decode(), True)


def test_a_text_body_that_is_no_utf8_is_base64() -> None:
    event = event_of("/", ("Content-Type", "application/json"), body=b"\xff\x00")
    assert (event["body"], event["isBase64Encoded"]) == ("/wA=", True)


def test_an_iam_route_names_its_caller() -> None:
    event = event_of(caller=Caller("local", "123456789012", "local"))
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert context["authorizer"] == {
        "iam": {
            "accessKey": "local",
            "accountId": "123456789012",
            "callerId": "local",
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": "arn:aws:iam::123456789012:user/local",
            "userId": "local",
        }
    }
