"""Whom we take for the broker: certificates are always checked, and nothing is sent to anybody else."""

import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from brokerlink.outbound import NoAnswer, NotSent, Outbound, Request
from tests.unit.outbound_certificates import Authority, make_authority, server_context
from tests.unit.outbound_server import Peer, Script, Server, answer, answering, get

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return make_authority(folder / "trusted")


@pytest.fixture(scope="module", params=[TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])
def broker_context(request: pytest.FixtureRequest, folder: Path, authority: Authority) -> ssl.SSLContext:
    return server_context(folder, authority, version=request.param)


@pytest.fixture
def outbound(authority: Authority) -> Outbound:
    return Outbound(verify=str(authority.bundle))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_trusted_broker(outbound: Outbound, broker_context: ssl.SSLContext, host: str) -> None:
    with Server(answering(answer(b"{}")), tls=broker_context) as server:
        url = server.url(scheme="https", host=host)
        assert get(outbound, url).body == b"{}"
        assert get(outbound, url, fresh=False).body == b"{}"
        assert server.connections == 1
        assert get(outbound, url, fresh=True).body == b"{}"
        assert server.connections == 2


def untrusted(folder: Path, authority: Authority) -> dict[str, ssl.SSLContext]:
    return {
        "expired": server_context(folder, authority, days=-1),
        "another host's": server_context(folder, authority, host="broker.example"),
        "self-signed": server_context(folder, None),
        "another authority's": server_context(folder, make_authority(folder / "another")),
    }


def test_untrusted_broker_is_sent_nothing(outbound: Outbound, folder: Path, authority: Authority) -> None:
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        seen.append(peer.read_request())

    for name, context in untrusted(folder, authority).items():
        with Server(script, tls=context) as server:
            with pytest.raises(NotSent) as caught:
                get(outbound, server.url("/?code=secret", scheme="https", host="localhost"))
            assert caught.value.reason == "tls", name
            assert isinstance(caught.value.__cause__, OSError)
            assert server.left.acquire(timeout=5)
    assert [request for request in seen if request] == []


def test_public_authorities_are_the_default(broker_context: ssl.SSLContext) -> None:
    with Server(answering(answer()), tls=broker_context) as server, pytest.raises(NotSent) as caught:
        get(Outbound(), server.url(scheme="https", host="localhost"))
    assert caught.value.reason == "tls"


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_environment_cannot_add_an_authority(
    name: str, authority: Authority, broker_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(authority.bundle))
    with Server(answering(answer()), tls=broker_context) as server, pytest.raises(NotSent):
        get(Outbound(), server.url(scheme="https", host="localhost"))


@pytest.mark.parametrize("verify", [False, None, 0, 1])
def test_verification_cannot_be_switched_off(verify: Any) -> None:
    with pytest.raises(TypeError):
        Outbound(verify=verify)


def test_bundle_that_does_not_exist_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Outbound(verify=str(tmp_path / "none.pem"))


def test_old_tls_is_refused(outbound: Outbound, folder: Path, authority: Authority) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context = server_context(folder, authority, version=ssl.TLSVersion.TLSv1_1)
    with Server(answering(answer()), tls=context) as server, pytest.raises(NotSent) as caught:
        get(outbound, server.url(scheme="https", host="localhost"))
    assert caught.value.reason == "tls"


def say_plain_http(peer: Peer) -> None:
    peer.send(answer())


def hang_up(peer: Peer) -> None:
    peer.connection.recv(1)


def reset(peer: Peer) -> None:
    peer.connection.recv(1)
    peer.reset()


@pytest.mark.parametrize("script", [say_plain_http, hang_up, reset])
def test_handshake_that_fails_is_not_sent(outbound: Outbound, script: Script) -> None:
    with Server(script) as server, pytest.raises(NotSent) as caught:
        get(outbound, server.url(scheme="https", host="localhost"))
    assert caught.value.reason == "tls"


def stall(peer: Peer) -> None:
    peer.hang()


def drip_a_handshake(peer: Peer) -> None:
    peer.connection.recv(65_536)
    peer.drip(b"\x16\x03\x03\x40\x00" + bytes(100))


@pytest.mark.parametrize("script", [stall, drip_a_handshake])
def test_handshake_that_takes_too_long_is_not_sent(outbound: Outbound, script: Script) -> None:
    with Server(script) as server, pytest.raises(NotSent) as caught:
        get(outbound, server.url(scheme="https", host="localhost"), seconds=0.3)
    assert caught.value.reason == "timeout"


def close_unanswered(peer: Peer) -> None:
    peer.read_request()


def close_in_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(answer(b"{", length=2))


def reset_unanswered(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def hang_unanswered(peer: Peer) -> None:
    peer.read_request()
    peer.hang()


def drip_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(answer(length=80))
    peer.drip(b"x" * 80)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (close_unanswered, "closed"),
        (close_in_body, "truncated"),
        (reset_unanswered, "reset"),
        (hang_unanswered, "timeout"),
        (drip_body, "timeout"),
    ],
)
def test_sent_but_not_answered(outbound: Outbound, broker_context: ssl.SSLContext, script: Script, reason: str) -> None:
    with Server(script, tls=broker_context) as server:
        with pytest.raises(NoAnswer) as caught:
            get(outbound, server.url(scheme="https", host="localhost"), seconds=1.5)
        assert server.connections == 1
    assert caught.value.reason == reason


def test_request_that_is_not_read(outbound: Outbound, broker_context: ssl.SSLContext) -> None:
    with Server(stall, tls=broker_context) as server:
        request = Request("POST", server.url(scheme="https", host="localhost"), {}, b"x" * 20_000_000)
        with pytest.raises(NoAnswer) as caught:
            outbound.send(request, deadline=time.monotonic() + 1.5, fresh=True)
    assert caught.value.reason == "timeout"


def test_request_that_is_read_slowly(outbound: Outbound, broker_context: ssl.SSLContext) -> None:
    size = 40_000_000
    peers: list[Peer] = []

    def script(peer: Peer) -> None:
        peers.append(peer)
        peer.sip()

    with Server(script, tls=broker_context) as server:
        request = Request("POST", server.url(scheme="https", host="localhost"), {}, b"x" * size)
        with pytest.raises(NoAnswer) as caught:
            outbound.send(request, deadline=time.monotonic() + 1.5, fresh=True)
    assert caught.value.reason == "timeout"
    assert sum(peer.sipped for peer in peers) < size // 2, "it was sent to its end"


def test_drip_of_a_single_record(outbound: Outbound, broker_context: ssl.SSLContext) -> None:
    """A TLS record is of no use until its last byte is there: the wait for it is one read of ours."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = broker_context.wrap_bio(incoming, outgoing, server_side=True)

    def script(peer: Peer) -> None:
        while True:
            try:
                tls.do_handshake()
                peer.send(outgoing.read())
                break
            except ssl.SSLWantReadError:
                peer.send(outgoing.read())
                incoming.write(peer.connection.recv(65_536))
        while True:
            try:
                tls.read(65_536)
                break
            except ssl.SSLWantReadError:
                incoming.write(peer.connection.recv(65_536))
        tls.write(answer())
        peer.drip(outgoing.read())

    with Server(script) as server, pytest.raises(NoAnswer) as caught:
        get(outbound, server.url(scheme="https", host="localhost"), seconds=1.5)
    assert caught.value.reason == "timeout"
