"""Was it sent? Each way in which a request can fail, and what may be concluded from it."""

import socket
import time

import pytest

from brokerlink.outbound import NoAnswer, NotSent, Outbound, OutboundError, Request
from brokerlink.outbound.connection import TimedConnection
from tests.unit.outbound_server import Peer, Script, Server, answer, answering, get, saying


def reset_unread(peer: Peer) -> None:
    peer.connection.recv(1, socket.MSG_PEEK)
    peer.reset()


def reset_when_read(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def reset_in_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(answer(b"{", length=2))
    peer.reset()


FAILURES: dict[str, tuple[Script, str]] = {
    "closed without a word": (saying(b""), "closed"),
    "closed in the status line": (saying(b"HTTP/1.1 200"), "truncated"),
    "closed after the status line": (saying(b"HTTP/1.1 200 OK\r\n"), "truncated"),
    "closed in the headers": (saying(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"), "truncated"),
    "closed in a header": (saying(b"HTTP/1.1 200 OK\r\nContent-Le"), "truncated"),
    "closed before the body": (saying(answer(b"", length=2)), "truncated"),
    "closed in the body": (saying(answer(b"{", length=2)), "truncated"),
    "closed in a chunk": (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"), "truncated"),
    "closed between chunks": (
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        "truncated",
    ),
    "reset before it is read": (reset_unread, "reset"),
    "reset when it is read": (reset_when_read, "reset"),
    "reset in the body": (reset_in_body, "reset"),
    "not HTTP": (answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "protocol"),
    "status that is no number": (answering(b"HTTP/1.1 OK 200\r\n\r\n"), "protocol"),
    "status out of range": (answering(answer(status="999 What")), "protocol"),
    "interim answer only": (answering(b"HTTP/1.1 103 Early Hints\r\n\r\n"), "protocol"),
    "two lengths": (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), "protocol"),
    "chunk of no length": (
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n{}\r\n"),
        "protocol",
    ),
    "unknown coding": (answering(answer(b"{}", "Content-Encoding: br")), "encoding"),
    "coding that is not there": (answering(answer(b"{}", "Content-Encoding: gzip")), "encoding"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_sent_but_not_answered(name: str) -> None:
    script, reason = FAILURES[name]
    with Server(script) as server:
        with pytest.raises(NoAnswer) as caught:
            get(Outbound(), server.url())
        assert caught.value.reason == reason
        assert server.connections == 1, "it was sent again"


@pytest.mark.parametrize(
    "unusable",
    [
        answer(b"late", status="999 What"),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"late"),
        answer(b"x" * 70_000) + answer(b"late"),
        answer(b"{}", "Content-Encoding: br") + answer(b"late"),
    ],
    ids=["status", "interim", "oversized", "encoding"],
)
def test_rest_of_an_unusable_answer_is_not_the_next_one(unusable: bytes) -> None:
    left = [unusable]

    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.send(left.pop() if left else answer(b"mine"))

    outbound = Outbound()
    with Server(script) as server:
        with pytest.raises(OutboundError):
            get(outbound, server.url())
        assert get(outbound, server.url(), fresh=False).body == b"mine"


def test_answer_given_before_the_request_was_read_counts() -> None:
    """A server may refuse a request, say so, and close, while we still send (RFC 9112 §9.5)."""

    def script(peer: Peer) -> None:
        peer.connection.recv(1)
        peer.send(answer(b"no", "Connection: close", status="413 Content Too Large"))

    with Server(script) as server:
        request = Request("POST", server.url(), {}, b"x" * 20_000_000)
        got = Outbound().send(request, deadline=time.monotonic() + 5, fresh=True)
    assert got.status == 413


@pytest.mark.parametrize(
    "url",
    ["", "no-scheme", "/path", "ftp://127.0.0.1/", "https://", "http://[::1", "http://127.0.0.1:port/"],
)
def test_malformed_url_is_not_sent(url: str) -> None:
    with pytest.raises(NotSent) as caught:
        get(Outbound(), url)
    assert caught.value.reason == "request"


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", " padded", "snow \N{SNOWMAN}"])
def test_malformed_header_is_not_sent(value: str) -> None:
    with Server(answering(answer())) as server:
        with pytest.raises(NotSent) as caught:
            get(Outbound(), server.url(), headers={"Authorization": value})
        assert caught.value.reason == "request"
        assert server.connections == 0


@pytest.mark.parametrize("fresh", [True, False])
def test_past_deadline_is_not_sent(*, fresh: bool) -> None:
    with Server(answering(answer())) as server:
        with pytest.raises(NotSent) as caught:
            get(Outbound(), server.url(), seconds=0, fresh=fresh)
        assert caught.value.reason == "timeout"
        assert server.connections == 0


def test_deadline_that_passes_before_the_first_byte_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    clock = [0.0]
    connect = TimedConnection.connect

    def connect_slowly(connection: TimedConnection) -> None:
        connect(connection)
        clock[0] += 6

    def script(peer: Peer) -> None:
        seen.append(peer.read_request())

    monkeypatch.setattr(TimedConnection, "connect", connect_slowly)
    with Server(script) as server:
        with pytest.raises(NotSent) as caught:
            Outbound(monotonic=lambda: clock[0]).send(Request("GET", server.url(), {}), deadline=5, fresh=True)
        assert caught.value.reason == "timeout"
        assert server.left.acquire(timeout=5)
    assert seen == [b""]
