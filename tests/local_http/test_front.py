import contextlib
import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.errors import PortInUseError
from local.front import Front, Route, serve_front
from local.ports import listen
from local.runtime import FunctionError, FunctionPool, PoolClosedError, TooSlowError

type Exchange = Callable[[int, bytes], bytes]
type Event = Mapping[str, object]

ROUTES = (
    Route("GET", "/", "authorize"),
    Route("GET", "/authorize/{broker}", "authorize"),
    Route("POST", "/sessions", "authorize", iam=True),
    Route("GET", "/callback/{broker}", "callback"),
    Route("POST", "/callback/{broker}", "callback"),
    Route("GET", "/attempts/{attempt_id}", "callback", iam=True),
)
CURL = shutil.which("curl")


class RecordedFunction:
    """A function that keeps its events and answers as told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.answer: Callable[[Event], object] = lambda _: {"statusCode": 200, "body": "ok"}

    def invoke(self, event: Event, *, patience: float) -> object:
        assert patience == 30
        self.events.append(event)
        return self.answer(event)


class Stack:
    """A front before two recorded functions."""

    def __init__(self) -> None:
        self.authorize, self.callback = RecordedFunction(), RecordedFunction()
        self.log: list[str] = []
        self.front = serve_front(
            0,
            routes=ROUTES,
            functions={"authorize": self.authorize, "callback": self.callback},
            log=self.log.append,
        )
        self.port = self.front.port

    def call(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    @property
    def events(self) -> list[Event]:
        return self.authorize.events + self.callback.events


@pytest.fixture
def stack() -> Iterator[Stack]:
    stack = Stack()
    yield stack
    stack.front.close()


def signed(stack: Stack, method: str, path: str, body: bytes) -> dict[str, str]:
    request = AWSRequest(method, f"{stack.front.url}{path}", {"content-type": "application/json"}, body)
    SigV4Auth(Credentials("local", "local"), "execute-api", "ap-south-1").add_auth(request)
    return dict(request.headers)


def test_a_request_becomes_an_event_and_its_result_the_response(stack: Stack) -> None:
    stack.callback.answer = lambda _: {
        "statusCode": 303,
        "headers": {"Location": "/result"},
        "cookies": ["a=1", "b=2; HttpOnly"],
    }
    status, headers, body = stack.call("GET", "/callback/pocketful?code=%2B+&code=x", headers={"Cookie": "k=v"})
    assert (status, body) == (303, b"")
    assert ("location", "/result") in headers
    assert [value for name, value in headers if name == "set-cookie"] == ["a=1", "b=2; HttpOnly"]
    [event] = stack.callback.events
    assert event["routeKey"] == "GET /callback/{broker}"
    assert event["rawQueryString"] == "code=%2B+&code=x"
    assert event["cookies"] == ["k=v"]
    assert event["pathParameters"] == {"broker": "pocketful"}
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert context["domainName"] == f"127.0.0.1:{stack.port}"
    assert re.fullmatch(r"[A-Za-z0-9_-]{15}=", context["requestId"])
    assert ("apigw-requestid", context["requestId"]) in headers
    assert stack.authorize.events == []


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("HEAD", "/"),
        ("HEAD", "/callback/pocketful?code=x"),
        ("OPTIONS", "/callback/pocketful"),
        ("PUT", "/callback/pocketful"),
        ("GET", "/callback/"),
        ("GET", "/nothing"),
        ("GET", "//"),
        ("GET", "/callback/a/b"),
        ("GET", "/callback/a%2Fb"),
    ],
)
def test_an_unknown_route_is_the_gateways_404(stack: Stack, method: str, target: str) -> None:
    status, headers, body = stack.call(method, target)
    assert status == 404
    assert ("content-type", "application/json") in headers
    assert body == (b"" if method == "HEAD" else b'{"message":"Not Found"}')
    assert stack.events == []


def test_a_path_that_does_not_decode_is_400(stack: Stack) -> None:
    assert stack.call("GET", "/callback/%25zz")[::2] == (400, b'{"message":"Bad Request"}')
    assert stack.events == []


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        (FunctionError("Sandbox.Timedout", "secret"), 500, "Internal Server Error"),
        (FunctionError("KeyError", "secret"), 500, "Internal Server Error"),
        (TooSlowError(), 503, "Service Unavailable"),
        (PoolClosedError(), 503, "Service Unavailable"),
    ],
)
def test_a_failing_function_is_the_gateways_error(stack: Stack, failure: Exception, status: int, message: str) -> None:
    def fail(_: Event) -> object:
        raise failure

    stack.callback.answer = fail
    assert stack.call("GET", "/callback/pocketful?code=x")[::2] == (
        status,
        json.dumps({"message": message}, separators=(",", ":")).encode(),
    )
    assert "secret" not in "\n".join(stack.log)


def test_a_malformed_result_is_500_and_the_log_says_why(stack: Stack) -> None:
    stack.callback.answer = lambda _: {"statusCode": "secret"}
    assert stack.call("GET", "/callback/pocketful")[::2] == (500, b'{"message":"Internal Server Error"}')
    assert stack.log[0] == "callback failed: statusCode is no HTTP status"


def test_the_log_names_the_route_and_shows_nothing_of_path_or_query(stack: Stack) -> None:
    stack.call("GET", "/callback/pocketful?code=secret&state=secret")
    stack.call("GET", "/callback/pocketful%3Fcode=secret")
    stack.call("GET", "/callback/pocketful;code=secret")
    stack.call("GET", "/callback/pocketful/secret")
    stack.call("GET", "/callback/secret%25zz")
    assert [line.rpartition(" ")[0].rpartition(" ")[0] for line in stack.log] == [
        "GET /callback/{broker} 200",
        "GET /callback/{broker} 200",
        "GET /callback/{broker} 200",
        "GET - 404",
        "GET - 400",
    ]
    assert "secret" not in "\n".join(stack.log)


# The Host guard.


@pytest.mark.parametrize("host", ["evil.example", "localhost:{port}", "127.0.0.1", "127.0.0.1:1", "EVIL:{port}"])
@pytest.mark.parametrize("target", ["/", "/?a=b", "/authorize/pocketful?session=x"])
def test_a_start_on_another_host_reaches_the_function(stack: Stack, host: str, target: str) -> None:
    host = host.format(port=stack.port)
    assert stack.call("GET", target, headers={"Host": host})[0] == 200
    [event] = stack.authorize.events
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert context["domainName"] == host


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/callback/pocketful?code=x"),
        ("POST", "/callback/pocketful"),
        ("POST", "/sessions"),
        ("GET", "/attempts/x"),
        ("GET", "/example/"),
        ("GET", "/example"),
        ("HEAD", "/"),
        ("POST", "/"),
        ("GET", "/authorize"),
        ("GET", "/authorizex/y"),
        ("GET", "/nothing"),
    ],
)
def test_anything_else_on_another_host_is_403(stack: Stack, method: str, target: str) -> None:
    for host in ("evil.example", f"localhost:{stack.port}"):
        status, _, body = stack.call(method, target, headers={"Host": host})
        assert status == 403
        assert body == (b"" if method == "HEAD" else b'{"message":"Forbidden"}')
    assert stack.events == []


@pytest.mark.parametrize("host", ["", "a/b", "a b", "a@b", "a,b", "http://127.0.0.1"])
def test_a_malformed_host_is_400(stack: Stack, exchange: Exchange, host: str) -> None:
    answer = exchange(stack.port, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert stack.events == []


def test_the_base_urls_host_is_compared_without_case_and_default_port(exchange: Exchange) -> None:
    function = RecordedFunction()
    front = serve_front(
        0,
        routes=(Route("GET", "/result", "f"),),
        functions={"f": function},
        base_url="http://localhost:80/",
        log=lambda _: None,
    )
    with contextlib.closing(front):
        for host in ("localhost", "LOCALHOST:80"):
            request = f"GET /result HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            assert exchange(front.port, request.encode()).startswith(b"HTTP/1.1 200 ")


# IAM routes.


def test_a_signed_request_reaches_its_function_with_its_caller(stack: Stack) -> None:
    body = b'{"broker": "pocketful"}'
    assert stack.call("POST", "/sessions", body, signed(stack, "POST", "/sessions", body))[0] == 200
    [event] = stack.authorize.events
    assert event["body"] == body.decode()
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert context["authorizer"]["iam"]["accessKey"] == "local"


def test_an_unsigned_or_badly_signed_request_is_the_gateways_403(stack: Stack) -> None:
    other_body = signed(stack, "POST", "/sessions", b"{}")
    other_path = signed(stack, "POST", "/confirm", b"")
    for headers in ({}, other_body, other_path, {"Authorization": "Bearer x"}):
        assert stack.call("POST", "/sessions", b"", headers)[::2] == (403, b'{"message":"Forbidden"}')
    assert stack.call("GET", "/attempts/x")[::2] == (403, b'{"message":"Forbidden"}')
    assert stack.events == []


def test_a_signature_five_minutes_old_is_403() -> None:
    stack = Stack()
    headers = signed(stack, "GET", "/attempts/x", b"")
    stack.front.close()
    function = RecordedFunction()
    late = serve_front(
        stack.port,
        routes=ROUTES,
        functions={"authorize": function, "callback": function},
        log=lambda _: None,
        now=lambda: time.time() + 305,
    )
    with contextlib.closing(late):
        stack.front = late
        assert stack.call("GET", "/attempts/x", headers=headers)[0] == 403
    assert function.events == []


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("user", "service", "status"),
    [
        ("local:local", "execute-api", 200),
        ("local:wrong", "execute-api", 403),
        ("other:local", "execute-api", 403),
        ("local:local", "s3", 403),
    ],
)
def test_curl_signs_too(stack: Stack, user: str, service: str, status: int) -> None:
    def curl(*arguments: str) -> str:
        command = [str(CURL), "-sS", "-m", "20", "-w", " %{http_code}", "--user", user]
        sigv4 = f"aws:amz:ap-south-1:{service}"
        done = subprocess.run(  # noqa: S603 - curl as found on the PATH
            [*command, "--aws-sigv4", sigv4, *arguments], capture_output=True, check=True, text=True
        )
        return done.stdout

    body = '{"broker": "pocketful", "user_id": "asha"}'
    url = stack.front.url
    expected = "ok 200" if status == 200 else '{"message":"Forbidden"} 403'
    assert curl(f"{url}/sessions", "--json", body) == expected
    assert curl(f"{url}/attempts/{'a' * 43}") == expected
    assert [event.get("body") for event in stack.events] == ([body, None] if status == 200 else [])


# The server.


def test_a_front_before_real_functions_answers_fifty_at_once(
    start: Callable[..., tuple[FunctionPool, list[str]]],
) -> None:
    pool, _ = start(
        """
        def handler(event, context):
            return {"statusCode": 200, "body": event["rawQueryString"]}
        """,
        max_workers=3,
    )
    front = serve_front(0, routes=(Route("GET", "/", "f"),), functions={"f": pool}, log=lambda _: None)

    def ask(number: int) -> bytes:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=60)) as connection:
            connection.request("GET", f"/?{number}")
            return connection.getresponse().read()

    with contextlib.closing(front), ThreadPoolExecutor(50) as clients:
        assert list(clients.map(ask, range(50))) == [str(number).encode() for number in range(50)]


def test_a_route_without_function_is_refused() -> None:
    with pytest.raises(ValueError, match="no function callback for GET /result"):
        serve_front(0, routes=(Route("GET", "/result", "callback"),), functions={})


def test_a_port_in_use_is_told_and_a_bound_socket_is_taken_over() -> None:
    earlier = set(threading.enumerate())
    held = listen(0, "PORT")
    port = held.getsockname()[1]
    with pytest.raises(PortInUseError, match=f"Port {port} .*PORT="):
        serve_front(port, routes=(), functions={})
    front: Front = serve_front(held, routes=(), functions={}, log=lambda _: None)
    assert (front.port, front.url) == (port, f"http://127.0.0.1:{port}")
    threads = [thread for thread in threading.enumerate() if thread.name == "front" and thread not in earlier]
    front.close()
    front.close()
    assert threads
    assert not any(thread.is_alive() for thread in threads)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
