"""HTTP without a client's manners: what is sent is sent as it stands, what arrives is looked at byte by byte."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager


def request_line(
    port: int, target: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes = b""
) -> http.client.HTTPResponse:
    """Asks for `target` without normalising it; the response, its body already read off.

    Headers replace the client's own, so a Host can be anything.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": f"localhost:{port}", **(headers or {})}.items():
        connection.putheader(name, value)
    if body:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body or None)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


@contextmanager
def connected(port: int, *, timeout: float = 10) -> Iterator[socket.socket]:
    """A TCP connection to the simulators."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        yield connection


def get(port: int, target: str) -> bytes:
    """The bytes of a plain GET request."""
    return f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()


def post_form(port: int, target: str, body: str, *headers: str) -> bytes:
    """The bytes of a form POST."""
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: localhost:{port}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", body]).encode()


def read_to_end(connection: socket.socket) -> bytes:
    """Everything until the peer closes in an orderly way. Raises `ConnectionResetError` after a reset."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received
