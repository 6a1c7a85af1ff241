"""The kinds of HTTP response that the simulators give. None may be cached."""

import json

from werkzeug.wrappers import Response

JSON = "application/json;charset=UTF-8"


def respond(body: str, *, status: int, content_type: str) -> Response:
    response = Response(body, status=status, content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    return response


def json_response(value: object, *, status: int = 200) -> Response:
    """Compact JSON with its keys in alphabetical order, as Go encodes a map."""
    body = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return respond(body, status=status, content_type=JSON)


def redirect(location: str, *, status: int) -> Response:
    """A redirect to `location`, byte by byte as given."""
    response = respond("", status=status, content_type="text/html; charset=utf-8")
    response.headers["Location"] = location
    return response
