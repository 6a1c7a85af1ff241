"""What brokers see of our requests, and what we make of ordinary answers."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from brokerlink.outbound import Answer, AnswerTooLarge, NoAnswer, Outbound, Request
from tests.unit.outbound_server import Peer, Server, answer, answering, get


def test_request_arrives_as_written() -> None:
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        seen.append(peer.read_request())
        peer.send(answer())

    headers = {"Authorization": "Basic eA==", "Content-Type": "application/x-www-form-urlencoded"}
    body = b"code=a%2Bb&redirect_uri=https%3A%2F%2Fx"
    with Server(script) as server:
        request = Request("POST", server.url("/oauth2/token?a=%2F&b=1"), headers, body)
        Outbound().send(request, deadline=time.monotonic() + 5, fresh=True)
    head, _, sent_body = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /oauth2/token?a=%2F&b=1 HTTP/1.1"
    assert sorted(lines[1:]) == [
        "Accept-Encoding: identity",
        "Authorization: Basic eA==",
        f"Content-Length: {len(body)}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: brokerlink",
    ]
    assert sent_body == body


def test_answer_has_status_lower_case_headers_and_body() -> None:
    with Server(answering(answer(b'{"a": 1}', "X-One: Two", status="418 No"))) as server:
        got = get(Outbound(), server.url())
    assert got == Answer(418, {"content-length": "8", "x-one": "Two"}, b'{"a": 1}')
    assert got.json() == {"a": 1}


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n", b"[1,2]"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
    ],
    ids=["chunked", "no content", "continue", "http 1.0"],
)
def test_framings_that_keep_the_connection(raw: bytes, body: bytes) -> None:
    outbound = Outbound()
    with Server(answering(raw)) as server:
        assert get(outbound, server.url()).body == body
        assert get(outbound, server.url(), fresh=False).body == body
    assert server.connections == 1


def test_body_that_ends_with_the_connection() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n{}")

    outbound = Outbound()
    with Server(script) as server:
        assert get(outbound, server.url()).body == b"{}"
        assert get(outbound, server.url(), fresh=False).body == b"{}"
    assert server.connections == 2


def test_fresh_request_opens_a_connection_and_closes_the_idle_one() -> None:
    outbound = Outbound()
    with Server(answering(answer())) as server:
        get(outbound, server.url())
        get(outbound, server.url())
        assert server.left.acquire(timeout=5), "the idle connection is still open"
        assert server.connections == 2
        get(outbound, server.url(), fresh=False)
        assert server.connections == 2


def test_idle_connection_that_the_broker_closed_is_not_used() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer())

    outbound = Outbound()
    with Server(script) as server:
        get(outbound, server.url())
        assert server.left.acquire(timeout=5)
        assert get(outbound, server.url(), fresh=False).status == 200
    assert server.connections == 2


def dropping_the_second(peer: Peer) -> None:
    """Script: a kept-alive connection that a middle box forgot: nothing comes back, not even a reset."""
    peer.read_request()
    peer.send(answer())
    peer.hang()


def test_silently_dropped_connection_swallows_what_is_sent_on_it() -> None:
    outbound = Outbound()
    with Server(dropping_the_second) as server:
        get(outbound, server.url())
        with pytest.raises(NoAnswer) as caught:
            get(outbound, server.url(), fresh=False, seconds=1)
        assert caught.value.reason == "timeout"
        assert server.connections == 1
        # And it is not pooled again.
        assert get(outbound, server.url(), fresh=False).status == 200
        assert server.connections == 2


def test_silently_dropped_connection_does_not_meet_a_fresh_request() -> None:
    outbound = Outbound()
    with Server(dropping_the_second) as server:
        get(outbound, server.url())
        assert get(outbound, server.url(), fresh=True).status == 200
    assert server.connections == 2


def test_bytes_after_an_answer_are_not_the_next_one() -> None:
    outbound = Outbound()
    with Server(answering(answer(b"1") + answer(b"9"))) as server:
        assert get(outbound, server.url()).body == b"1"
        assert get(outbound, server.url(), fresh=False).body == b"1"


def test_redirect_is_an_answer() -> None:
    with Server(answering(answer())) as target:
        redirect = answer(b"", f"Location: {target.url()}", status="302 Found")
        with Server(answering(redirect)) as server:
            got = get(Outbound(), server.url())
    assert got.status == 302
    assert got.headers["location"] == target.url()
    assert target.connections == 0


def test_redirect_with_a_body_over_the_cap() -> None:
    redirect = answer(b"x" * 100_000, "Location: /", status="302 Found")
    with Server(answering(redirect)) as server, pytest.raises(AnswerTooLarge):
        get(Outbound(), server.url())


def test_cookie_of_one_answer_is_not_in_the_next_request() -> None:
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        while request := peer.read_request():
            seen.append(request)
            peer.send(answer(b"{}", "Set-Cookie: session=customer-1; Path=/"))

    outbound = Outbound()
    with Server(script) as server:
        get(outbound, server.url())
        get(outbound, server.url(), fresh=False)
        get(outbound, server.url(), fresh=True)
    assert len(seen) == 3
    assert not any(b"cookie" in request.lower() for request in seen)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_proxies_of_the_environment_are_ignored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Server(answering(answer())) as proxy, Server(answering(answer())) as server:
        monkeypatch.setenv(name, proxy.url())
        assert get(Outbound(), server.url()).status == 200
        assert server.connections == 1
    assert proxy.connections == 0


def test_netrc_of_the_environment_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        seen.append(peer.read_request())
        peer.send(answer())

    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Server(script) as server:
        get(Outbound(), server.url())
    assert b"authorization" not in seen[0].lower()


def test_no_thread_outlives_a_request() -> None:
    outbound = Outbound()
    with Server(answering(answer())) as server:
        for fresh in (True, True, False):
            get(outbound, server.url(), fresh=fresh)
        assert not [thread for thread in threading.enumerate() if thread.name == "resolve"]


def test_concurrent_requests_get_their_own_answers() -> None:
    def script(peer: Peer) -> None:
        while request := peer.read_request():
            peer.send(answer(request.split(b" ")[1]))

    outbound = Outbound()
    got: dict[str, bytes] = {}

    def ask(path: str) -> None:
        for fresh in (True, False, False):
            got[path] = get(outbound, server.url(path), fresh=fresh).body

    with Server(script) as server:
        threads = [threading.Thread(target=ask, args=(f"/{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert got == {f"/{n}": f"/{n}".encode() for n in range(8)}


def test_a_name_of_the_local_host_works() -> None:
    """`localhost` is often ::1 first, where the local stack's simulators do not listen."""
    with Server(answering(answer())) as server:
        assert get(Outbound(), server.url(host="localhost")).status == 200


def test_values_are_imported_without_the_client() -> None:
    code = "import brokerlink.outbound, sys; brokerlink.outbound.Request; sys.exit('urllib3' in sys.modules)"
    path = str(Path(__file__).parents[2] / "layers")
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=True)  # noqa: S603 - our own code
