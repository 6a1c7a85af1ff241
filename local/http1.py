"""HTTP/1.1 messages, read strictly.

The local stack plays API Gateway and Lambda's Runtime API, so a request must reach them as it was sent: the
target undecoded, every header line of its own. What two parsers could read differently (a repeated Host, a
folded header, Transfer-Encoding beside Content-Length) is refused here, as the gateway in front of the
deployed functions refuses it.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from http import HTTPStatus

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110 §5.6.2 calls a name like this a token
_REQUEST_LINE = re.compile(rf"({TOKEN}) (/[!-~]*) (HTTP/1\.[01])")
_HEADER = re.compile(rf"({TOKEN}):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_CHUNK_SIZE = re.compile(r"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was sent.

    ``target`` is path and query undecoded, in printable ASCII, beginning with ``/``; ``headers`` are the
    header lines in their order, values without surrounding blanks; ``body`` is free of any transfer coding.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    client: str = "127.0.0.1"
    version: str = "HTTP/1.1"

    def values(self, name: str) -> tuple[str, ...]:
        """Return the value of every header line of that name, in any case, in the order sent."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    def value(self, name: str) -> str | None:
        """Return the values of a header joined as RFC 9110 §5.2 joins them, or None where it was not sent."""
        values = self.values(name)
        return ",".join(values) if values else None

    @property
    def path(self) -> str:
        """The path, undecoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the first ``?``, undecoded; empty where there is none."""
        return self.target.partition("?")[2]

    @property
    def host(self) -> str:
        """The one Host header, which every accepted request has."""
        return self.values("host")[0]


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; Content-Length, Connection and Date are the server's business."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


type Handler = Callable[[Request], Response]


class BadRequestError(Exception):
    """A request refused with ``status`` before any handler sees it; the connection closes after it."""

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(status.phrase)
        self.status = status


class HangUpError(Exception):
    """Raised by a handler that wants the connection closed without an answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, of line and headers together and of a body; ``idle`` in seconds, None for ever."""

    head: int
    body: int
    idle: float | None


def gateway_error(status: HTTPStatus) -> Response:
    """Return the JSON body in which API Gateway's own errors come: ``{"message":"<reason>"}``."""
    reason = "Request Entity Too Large" if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else status.phrase
    return Response(status, (("content-type", "application/json"),), b'{"message":"%s"}' % reason.encode("ascii"))


class RequestReader:
    """Reads requests from one connection; ``send`` writes the interim answer to ``Expect: 100-continue``."""

    def __init__(self, stream: io.BufferedReader, limits: Limits, send: Callable[[bytes], None], client: str) -> None:
        self._stream = stream
        self._limits = limits
        self._send = send
        self._client = client

    def request(self) -> Request | None:
        """Return the next request, or None at the end of the connection; raises BadRequestError, OSError."""
        first = self._stream.readline(self._limits.head + 1)
        if first == b"\r\n":  # RFC 9112 §2.2: one empty line before a request is overlooked
            first = self._stream.readline(self._limits.head + 1)
        if not first:
            return None
        left = self._limits.head - len(first)
        line = _REQUEST_LINE.fullmatch(self._text(first, left))
        if line is None:
            raise BadRequestError
        request = Request(line[1], line[2], tuple(self._headers(left)), client=self._client, version=line[3])
        hosts = request.values("host")
        if len(hosts) != 1 or _HOST.fullmatch(hosts[0]) is None:  # RFC 9112 §3.2
            raise BadRequestError
        return replace(request, body=self._body(request))

    def _headers(self, left: int) -> list[tuple[str, str]]:
        headers: list[tuple[str, str]] = []
        while True:
            line = self._stream.readline(left + 1)
            left -= len(line)
            text = self._text(line, left)
            if not text:
                return headers
            header = _HEADER.fullmatch(text)
            if header is None:  # also a folded line (RFC 9112 §5.2) and a blank before the colon (§5.1)
                raise BadRequestError
            headers.append((header[1], header[2]))

    def _text(self, line: bytes, left: int) -> str:
        if left < 0:
            raise BadRequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if not line.endswith(b"\r\n"):
            raise BadRequestError
        return line[:-2].decode("latin-1")

    def _body(self, request: Request) -> bytes:
        codings, lengths = request.values("transfer-encoding"), request.values("content-length")
        if not codings and not lengths:
            return b""
        expectation = request.value("expect")
        if expectation is not None and expectation.lower() != "100-continue":
            raise BadRequestError(HTTPStatus.EXPECTATION_FAILED)
        if codings:
            if lengths or [coding.lower() for coding in codings] != ["chunked"]:  # RFC 9112 §6.3: request smuggling
                raise BadRequestError
            self._go_on(expectation)
            return self._chunks()
        if len(lengths) != 1 or re.fullmatch(r"[0-9]{1,12}", lengths[0]) is None:
            raise BadRequestError
        if int(lengths[0]) > self._limits.body:
            raise BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self._go_on(expectation)
        return self._exactly(int(lengths[0]))

    def _go_on(self, expectation: str | None) -> None:
        if expectation is not None:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = _CHUNK_SIZE.fullmatch(self._text(self._stream.readline(1024), 0))
            if size is None:
                raise BadRequestError
            length = int(size[1], 16)
            if length == 0:
                self._headers(self._limits.head)  # trailers, which nobody here reads
                return bytes(body)
            if len(body) + length > self._limits.body:
                raise BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            body += self._exactly(length)
            if self._exactly(2) != b"\r\n":
                raise BadRequestError

    def _exactly(self, length: int) -> bytes:
        data = self._stream.read(length)
        if len(data) < length:
            raise ConnectionError("the connection ended within a body")
        return data


def serialised(response: Response, *, with_body: bool, close: bool) -> bytes:
    """Return the answer's bytes; ``with_body`` is False for the answer to a HEAD."""
    if any(re.search(r"[\r\n]", name + value) for name, value in response.headers):
        raise ValueError("a header with a line break")  # it would end the header, and begin a body or an answer
    status = HTTPStatus(response.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    lines.append(f"date: {formatdate(usegmt=True)}")
    if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        lines.append(f"content-length: {len(response.body)}")
    if close:
        lines.append("connection: close")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + response.body if with_body else head
