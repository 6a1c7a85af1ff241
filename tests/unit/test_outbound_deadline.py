"""One deadline holds through everything: brokers that stall, drip, or do not read."""

import time

import pytest

from brokerlink.outbound import NoAnswer, Outbound, Request
from brokerlink.outbound.client import MAX_SECONDS
from tests.unit.outbound_server import Clock, Peer, Server, answer, get

# At 50 ms a byte each of these takes two seconds and more, and would then be a complete answer.
DRIPS = {
    "status line": (b"", answer(status="200 " + "O" * 120)),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Slow: " + b"x" * 120 + b"\r\nContent-Length: 0\r\n\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 5 + answer()),
    "body": (answer(length=120), b"x" * 120),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n78\r\n", b"x" * 120 + b"\r\n0\r\n\r\n"),
    "chunk extension": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"2;" + b"x" * 120 + b"\r\n{}\r\n0\r\n\r\n",
    ),
    "trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
        b"X: x\r\n" * 20 + b"\r\n",
    ),
    "body until closed": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 120),
}


@pytest.mark.parametrize("name", DRIPS)
def test_drip(name: str) -> None:
    at_once, slowly = DRIPS[name]

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(at_once)
        peer.drip(slowly)

    with Server(script) as server, pytest.raises(NoAnswer) as caught:
        get(Outbound(), server.url(), seconds=1)
    assert caught.value.reason == "timeout"


def test_request_taken_and_never_answered() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.hang()

    with Server(script) as server, pytest.raises(NoAnswer) as caught:
        get(Outbound(), server.url(), seconds=1)
    assert caught.value.reason == "timeout"


def test_request_that_is_not_read() -> None:
    def script(peer: Peer) -> None:
        peer.hang()

    with Server(script) as server:
        request = Request("POST", server.url(), {}, b"x" * 20_000_000)
        with pytest.raises(NoAnswer) as caught:
            Outbound().send(request, deadline=time.monotonic() + 1, fresh=True)
    assert caught.value.reason == "timeout"


@pytest.mark.parametrize(("seconds", "enough"), [(MAX_SECONDS - 4, True), (MAX_SECONDS + 0.1, False)])
def test_no_request_takes_longer_than_ten_seconds(seconds: float, *, enough: bool) -> None:
    clock = Clock()

    def script(peer: Peer) -> None:
        peer.read_request()
        clock.jumped = seconds
        peer.send(b"HTTP/1.1 200 OK\r\n")
        peer.drip(b"Content-Length: 2\r\n\r\n{}", pause=0.01)

    with Server(script) as server:
        request = Request("GET", server.url(), {})
        outbound = Outbound(monotonic=clock)
        if enough:
            assert outbound.send(request, deadline=clock() + 60, fresh=True).status == 200
        else:
            with pytest.raises(NoAnswer):
                outbound.send(request, deadline=clock() + 60, fresh=True)
