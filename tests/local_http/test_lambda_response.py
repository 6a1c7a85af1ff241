import pytest

from local.http1 import Response
from local.lambda_response import MalformedResponseError, http_response

TEXT = ("content-type", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("result", "response"),
    [
        ({"statusCode": 204}, Response(204, (TEXT,))),
        ({"statusCode": "200", "body": "λ"}, Response(200, (TEXT,), "λ".encode())),
        (
            {
                "statusCode": 303,
                "headers": {"Location": "/x", "Content-Length": "9", "Transfer-Encoding": "chunked", "N": 1},
                "cookies": ["a=1; Path=/", "b=2"],
                "body": None,
            },
            Response(
                303,
                (TEXT, ("location", "/x"), ("n", "1"), ("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2")),
            ),
        ),
        (
            {
                "statusCode": 200,
                "headers": {"Content-Type": "image/png", "Set-Cookie": "c=3"},
                "body": "/wA=",
                "isBase64Encoded": True,
            },
            Response(200, (("content-type", "image/png"), ("set-cookie", "c=3")), b"\xff\x00"),
        ),
        (
            {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}},
            Response(200, (TEXT, ("access-control-allow-origin", "*"))),
        ),
        ({"a": 1}, Response(200, (("content-type", "application/json"),), b'{"a": 1}')),
        ([1], Response(200, (("content-type", "application/json"),), b"[1]")),
        (None, Response(200, (("content-type", "application/json"),), b"null")),
        ("Hello", Response(200, (("content-type", "application/json"),), b"Hello")),
    ],
)
def test_a_result_becomes_the_response_that_the_gateway_makes(result: object, response: Response) -> None:
    assert http_response(result) == response


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": "OK"},
        {"statusCode": 99},
        {"statusCode": 101},
        {"statusCode": 600},
        {"statusCode": 299},
        {"statusCode": 200.0},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
        {"statusCode": 200, "body": "\ud800"},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"a": None}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "headers": {"a": "λ"}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "cookies": [1]},
        {"statusCode": 200, "cookies": ["a=1\r\nb: 2"]},
    ],
)
def test_a_malformed_result_is_refused(result: object) -> None:
    with pytest.raises(MalformedResponseError):
        http_response(result)
