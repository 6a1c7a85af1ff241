import pytest

from local.http1 import BadRequestError
from local.routing import Route, decoded_path, find_route

ROUTES = (
    Route("GET", "/", "authorize"),
    Route("GET", "/authorize/{broker}", "authorize"),
    Route("GET", "/authorize/help", "callback"),
    Route("POST", "/callback/{broker}", "callback"),
    Route("GET", "/attempts/{attempt_id}", "callback", iam=True),
)


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/", "GET /", {}),
        ("GET", "/authorize/pocketful", "GET /authorize/{broker}", {"broker": "pocketful"}),
        ("GET", "/authorize/help", "GET /authorize/help", {}),
        ("POST", "/callback/x", "POST /callback/{broker}", {"broker": "x"}),
        ("GET", "/attempts/a?b", "GET /attempts/{attempt_id}", {"attempt_id": "a?b"}),
    ],
)
def test_a_request_finds_its_most_specific_route(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    match = find_route(ROUTES, method, path)
    assert match is not None
    assert match.route.key == key
    assert match.parameters == parameters


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/"),
        ("HEAD", "/authorize/pocketful"),
        ("OPTIONS", "/authorize/pocketful"),
        ("GET", "/callback/pocketful"),
        ("GET", "/authorize"),
        ("GET", "/authorize/"),
        ("GET", "/authorize/pocketful/"),
        ("GET", "/authorize/a/b"),
        ("GET", "//"),
        ("GET", "/Authorize/pocketful"),
        ("get", "/"),
    ],
)
def test_anything_else_finds_none(method: str, path: str) -> None:
    assert find_route(ROUTES, method, path) is None


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        # As captured from live HTTP APIs.
        ("/plain", "/plain"),
        ("/space%20value", "/space value"),
        ("/question%3Fvalue", "/question"),
        ("/hash%23value", "/hash#value"),
        ("/slash%2Fvalue", "/slash/value"),
        ("/unicode-%CE%BB-%E4%B8%96%E7%95%8C", "/unicode-λ-世界"),
        ("/literal%252Fvalue", "/literal/value"),
        ("/literal%253Fvalue", "/literal?value"),
        ("/literal%2525value", "/literal%value"),
        # Not captured.
        ("/plus+value", "/plus+value"),
        ("/broken%ff", "/broken\ufffd"),
    ],
)
def test_a_path_is_decoded_twice_as_the_gateway_does(sent: str, seen: str) -> None:
    assert decoded_path(sent) == seen


@pytest.mark.parametrize("sent", ["/percent%25done", "/percent%", "/percent%zz", "/percent%2"])
def test_a_path_that_does_not_decode_is_refused(sent: str) -> None:
    with pytest.raises(BadRequestError):
        decoded_path(sent)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("ANY", "/"),
        ("get", "/"),
        ("X-AMAZON-APIGATEWAY-ANY-METHOD", "/"),
        ("GET", "$default"),
        ("GET", "/{proxy+}"),
        ("GET", "/a{b}"),
        ("GET", "a"),
    ],
)
def test_a_route_that_only_the_real_gateway_plays_is_refused(method: str, path: str) -> None:
    with pytest.raises(ValueError, match="not"):
        Route(method, path, "authorize")
