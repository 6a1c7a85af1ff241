"""An exchange's connection is opened while the attempt is claimed, and is the exchange's alone."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import pytest

from brokerlink.outbound import NotSent, Outbound
from brokerlink.outbound.ahead import MOST_SECONDS
from tests.unit.outbound_certificates import make_authority, server_context
from tests.unit.outbound_server import PATIENCE, Clock, Peer, Server, answer, answering, get


class Opening:
    """A server's side: when a connection was there, and what came on it."""

    def __init__(self) -> None:
        self.there = threading.Semaphore(0)
        self.requests: list[int] = []

    def __call__(self, peer: Peer) -> None:
        number = len(self.requests)
        self.requests.append(0)
        self.there.release()
        while peer.read_request():
            self.requests[number] += 1
            peer.send(answer())

    def wait(self) -> None:
        assert self.there.acquire(timeout=PATIENCE)


def soon(clock: Clock | None = None) -> float:
    return (clock or Clock())() + PATIENCE


def test_request_goes_out_on_the_connection_that_was_opened_for_it() -> None:
    outbound, opening = Outbound(), Opening()
    with Server(opening) as server, outbound.opening(server.url("/token"), deadline=soon()):
        opening.wait()
        assert get(outbound, server.url("/token")).status == 200
        # The question for the account shares it; another exchange has its own.
        get(outbound, server.url("/account"), fresh=False)
        assert opening.requests == [2]
        get(outbound, server.url("/token"))
        assert opening.requests == [2, 1]


def test_request_waits_for_it() -> None:
    outbound, opening = Outbound(), Opening()
    with Server(opening) as server, outbound.opening(server.url(), deadline=soon()):
        get(outbound, server.url())
        assert opening.requests == [1]


def test_it_takes_the_place_of_one_that_was_kept_alive() -> None:
    outbound, opening = Outbound(), Opening()
    with Server(opening) as server:
        get(outbound, server.url())
        with outbound.opening(server.url(), deadline=soon()):
            get(outbound, server.url())
        get(outbound, server.url(), fresh=False)
        assert opening.requests == [1, 2]


def test_a_request_that_may_be_repeated_leaves_it_alone() -> None:
    outbound, opening = Outbound(), Opening()
    with Server(opening) as server:
        get(outbound, server.url())
        with outbound.opening(server.url(), deadline=soon()):
            get(outbound, server.url(), fresh=False)
            get(outbound, server.url())
        assert opening.requests == [2, 1]


def test_a_request_to_another_server_does_not_take_it() -> None:
    outbound, opening, other = Outbound(), Opening(), Opening()
    with Server(opening) as server, Server(other) as elsewhere, outbound.opening(server.url(), deadline=soon()):
        get(outbound, elsewhere.url())
        get(outbound, server.url())
    assert (opening.requests, other.requests) == ([1], [1])


def test_one_that_nobody_wanted_is_closed() -> None:
    outbound, opening = Outbound(), Opening()
    with Server(opening) as server:
        with outbound.opening(server.url(), deadline=soon()):
            opening.wait()
        assert server.left.acquire(timeout=PATIENCE)
        get(outbound, server.url())
    assert sorted(opening.requests) == [0, 1]


def test_one_that_opens_too_late_is_closed_then(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "trusted")
    outbound, shaking, over = Outbound(verify=str(authority.bundle)), threading.Event(), threading.Event()

    def handshake(_: object, name: str | None, __: object) -> None:
        assert name == "localhost"
        shaking.set()
        over.wait(PATIENCE)

    context, opening = server_context(tmp_path, authority), Opening()
    context.sni_callback = handshake
    with Server(opening, tls=context) as server:
        with outbound.opening(server.url(scheme="https", host="localhost"), deadline=soon()):
            assert shaking.wait(PATIENCE)
        over.set()
        assert server.left.acquire(timeout=PATIENCE)
    assert opening.requests == [0]


def test_one_that_waited_long_is_not_used() -> None:
    clock, opening = Clock(), Opening()
    outbound = Outbound(monotonic=clock)
    with Server(opening) as server, outbound.opening(server.url(), deadline=soon(clock)):
        opening.wait()
        outbound._ahead[1]._thread.join()  # type: ignore[index]  # it is there within the context
        clock.jumped += MOST_SECONDS + 0.1
        get(outbound, server.url())
    assert opening.requests == [0, 1]


@pytest.mark.parametrize("reset", [False, True])
def test_one_that_the_server_ended_is_not_used(*, reset: bool) -> None:
    outbound, opened = Outbound(), threading.Event()

    def script(peer: Peer) -> None:
        if server.connections > 1:
            answering(answer())(peer)
        elif opened.wait(PATIENCE) and reset:
            peer.reset()

    with Server(script) as server, outbound.opening(server.url(), deadline=soon()):
        outbound._ahead[1]._thread.join()  # type: ignore[index]  # it is there within the context
        opened.set()
        assert server.left.acquire(timeout=PATIENCE)
        assert get(outbound, server.url()).status == 200
        assert server.connections == 2


def test_a_refusal_is_told_once_and_the_next_try_opens_its_own() -> None:
    outbound, opening = Outbound(), Opening()
    with Server(opening) as server:
        url = server.url()
    with outbound.opening(url, deadline=soon()):
        for _ in range(2):
            with pytest.raises(NotSent, match="refused"):
                get(outbound, url)
    assert not opening.requests


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_over_tls(tmp_path: Path, version: ssl.TLSVersion) -> None:
    authority = make_authority(tmp_path / "trusted")
    outbound, opening = Outbound(verify=str(authority.bundle)), Opening()
    with Server(opening, tls=server_context(tmp_path, authority, version=version)) as server:
        url = server.url(scheme="https", host="localhost")
        with outbound.opening(url, deadline=soon()):
            opening.wait()
            get(outbound, url)
            get(outbound, url, fresh=False)
    assert opening.requests == [2]


def test_an_untrusted_server_is_asked_nothing(tmp_path: Path) -> None:
    outbound, opening = Outbound(verify=str(make_authority(tmp_path / "trusted").bundle)), Opening()
    with Server(opening, tls=server_context(tmp_path, make_authority(tmp_path / "other"))) as server:
        url = server.url(scheme="https", host="localhost")
        with outbound.opening(url, deadline=soon()), pytest.raises(NotSent, match="tls"):
            get(outbound, url)
    assert not opening.requests
