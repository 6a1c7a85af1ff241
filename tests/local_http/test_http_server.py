import contextlib
import http.client
import logging
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from local.http1 import HangUpError, Limits, Request, Response
from local.http_server import HttpServer
from local.ports import listen

type Exchange = Callable[[int, bytes], bytes]

HOST = b"Host: 127.0.0.1\r\n"
CLOSE = b"Connection: close\r\n"
LIMITS = Limits(head=10_240, body=1000, idle=10.0)


class Server:
    """An HttpServer with what its handler was given."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.respond: Callable[[Request], Response] = lambda request: Response(200, (), request.body)
        self.http = HttpServer(listen(0, "PORT"), self._handle, LIMITS, name="test")
        self.port = self.http.port

    def _handle(self, request: Request) -> Response:
        self.requests.append(request)
        return self.respond(request)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: user@a.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example:port\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
        b"GET /\r\n" + HOST + b"\r\n",
        b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://127.0.0.1/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
        b"CONNECT 127.0.0.1:80 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\n " + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X : a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b": a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1, 1\r\n\r\na",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\na",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 0x1\r\n\r\na",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    ],
)
def test_what_parsers_could_read_differently_reaches_no_handler(
    server: Server, exchange: Exchange, head: bytes
) -> None:
    answer = exchange(server.port, head)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b'\r\n\r\n{"message":"Bad Request"}')
    assert server.requests == []


def test_target_headers_and_body_arrive_as_sent(server: Server, exchange: Exchange) -> None:
    exchange(
        server.port,
        b"\r\nPOST //a%2Fb/../c;d?x=%2B+%0d%0a&x=\xe9".replace(b"\xe9", b"%E9")
        + b" HTTP/1.1\r\nhOsT: [::1]:8000\r\nX:  a  \r\nx:b\xe9\r\n"
        + CLOSE
        + b"Content-Length: 3\r\n\r\n\x00\xffz",
    )
    [request] = server.requests
    assert request.method == "POST"
    assert request.target == "//a%2Fb/../c;d?x=%2B+%0d%0a&x=%E9"
    assert (request.path, request.query) == ("//a%2Fb/../c;d", "x=%2B+%0d%0a&x=%E9")
    assert request.headers[:3] == (("hOsT", "[::1]:8000"), ("X", "a"), ("x", "bé"))
    assert request.value("X") == "a,bé"
    assert request.host == "[::1]:8000"
    assert request.body == b"\x00\xffz"
    assert request.client == "127.0.0.1"


def _head_of(size: int) -> bytes:
    start = b"GET / HTTP/1.1\r\n" + HOST + CLOSE + b"X: "
    return start + b"a" * (size - len(start) - 4) + b"\r\n\r\n"


def test_request_line_and_headers_of_10240_bytes_pass(server: Server, exchange: Exchange) -> None:
    assert exchange(server.port, _head_of(10_240)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [
        _head_of(10_241),
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5_000 + HOST + b"\r\n",
    ],
)
def test_larger_request_line_and_headers_are_431(server: Server, exchange: Exchange, head: bytes) -> None:
    answer = exchange(server.port, head)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert answer.endswith(b'{"message":"Request Header Fields Too Large"}')
    assert server.requests == []


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 1001\r\n\r\n" + b"a" * 1001,
        b"Content-Length: 999999999999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    ],
)
def test_larger_body_is_413_and_never_read(server: Server, exchange: Exchange, framing: bytes) -> None:
    answer = exchange(server.port, b"POST / HTTP/1.1\r\n" + HOST + framing)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b'{"message":"Request Entity Too Large"}')
    assert server.requests == []


def test_chunked_body_is_joined(server: Server, exchange: Exchange) -> None:
    chunks = b"3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    answer = exchange(
        server.port, b"POST / HTTP/1.1\r\n" + HOST + CLOSE + b"Transfer-Encoding: Chunked\r\n\r\n" + chunks
    )
    assert answer.endswith(b"\r\n\r\nabc0123456789")


def test_expect_100_continue_is_answered_before_the_body(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + HOST + CLOSE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ok")
        assert connection.recv(65_536).endswith(b"\r\n\r\nok")


def test_one_connection_carries_many_requests(server: Server) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
        for body in (b"a", b"", b"c"):
            client.request("POST", "/", body)
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (200, body)
        first_socket = client.sock
        client.request("HEAD", "/")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        assert client.sock is first_socket


def test_body_cut_short_reaches_no_handler(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nab")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert server.requests == []


def test_failing_handler_is_500_and_logged(
    server: Server, exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Request) -> Response:
        raise LookupError("broken")

    server.respond = fail
    with caplog.at_level(logging.ERROR):
        answer = exchange(server.port, b"GET /?code=secret HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(b'{"message":"Internal Server Error"}')
    assert "LookupError" in caplog.text
    assert "secret" not in caplog.text


def test_a_header_with_a_line_break_is_not_sent(
    server: Server, exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    server.respond = lambda _: Response(200, (("x", "a\r\nset-cookie: b=c"),))
    answer = exchange(server.port, b"GET / HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in answer
    assert "line break" in caplog.text


def test_hanging_up_sends_nothing(server: Server, exchange: Exchange) -> None:
    def hang_up(_: Request) -> Response:
        raise HangUpError

    server.respond = hang_up
    assert exchange(server.port, b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") == b""


def test_close_ends_idle_connections_and_the_listener(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert idle.recv(65_536).startswith(b"HTTP/1.1 200 ")
        server.http.close()
        server.http.close()
        assert idle.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test")]
