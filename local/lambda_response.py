"""What an HTTP API makes of a function's response (payload format 2.0).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from http import HTTPStatus

from local.http1 import TOKEN, Response

_NAME = re.compile(TOKEN)
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_THE_GATEWAYS_OWN = frozenset(
    {"connection", "content-length", "date", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)


class MalformedResponseError(Exception):
    """A response that the gateway answers with 500, Internal Server Error; the message says why."""


def http_response(result: object) -> Response:
    """Translate a function's result, any JSON value. Raises MalformedResponseError.

    Without ``statusCode`` the whole result is the body of a 200. CORS headers pass, as they do through an API
    that configures no CORS of its own.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result)
        return Response(HTTPStatus.OK, (("content-type", "application/json"),), text.encode())
    headers = [*_headers(result.get("headers")), *_cookies(result.get("cookies"))]
    if not any(name == "content-type" for name, _ in headers):
        headers.insert(0, ("content-type", "text/plain; charset=utf-8"))
    return Response(_status(result["statusCode"]), tuple(headers), _body(result))


def _status(value: object) -> HTTPStatus:
    if not isinstance(value, int | str) or not re.fullmatch("[2-5][0-9]{2}", str(value)):
        raise MalformedResponseError("statusCode is no HTTP status")
    try:
        return HTTPStatus(int(value))
    except ValueError:
        raise MalformedResponseError("statusCode is no registered HTTP status") from None


def _headers(value: object) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, dict):
        raise MalformedResponseError("headers is no object")
    for name, content in value.items():
        if isinstance(content, bool):
            text = "true" if content else "false"
        elif isinstance(content, str | int | float):
            text = str(content)
        else:
            raise MalformedResponseError("a header's value is no string")
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(text) is None:
            raise MalformedResponseError("a header is not sendable")
        if name.lower() not in _THE_GATEWAYS_OWN:
            yield name.lower(), text


def _cookies(value: object) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise MalformedResponseError("cookies is no list")
    for cookie in value:
        if not isinstance(cookie, str) or _VALUE.fullmatch(cookie) is None:
            raise MalformedResponseError("a cookie is not sendable")
        yield "set-cookie", cookie


def _body(result: dict[str, object]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponseError("body is no string")
    try:
        return base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedResponseError("body is not encodable") from None
