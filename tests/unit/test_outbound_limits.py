"""Answers that are too large, or unpack to be."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from brokerlink.outbound import AnswerTooLarge, NoAnswer, Outbound
from brokerlink.outbound.body import decompress
from tests.unit.outbound_server import Peer, Server, answer, answering, get

CAP = 64 * 1024


def chunked(body: bytes, size: int = 10_000) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize("write", [answer, chunked])
def test_body_of_exactly_the_cap(write: Callable[[bytes], bytes]) -> None:
    with Server(answering(write(b"x" * CAP))) as server:
        assert get(Outbound(), server.url()).body == b"x" * CAP


OVERSIZED = {
    "declared": answer(b"x" * (CAP + 1)),
    "chunked": chunked(b"x" * (CAP + 1)),
    "until closed": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (CAP + 1),
    "an error's page": answer(b"x" * (CAP + 1), status="500 Oops"),
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %b\r\n" % (n, b"x" * 60_000) for n in range(4)),
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: x\r\n" * 40_000,
    "gzip bomb": answer(gzip.compress(bytes(5_000_000), mtime=0), "Content-Encoding: gzip"),
    "deflate bomb": answer(zlib.compress(bytes(5_000_000)), "Content-Encoding: deflate"),
    "bare deflate bomb": answer(bare_deflate(bytes(5_000_000)), "Content-Encoding: deflate"),
    "gzip, one byte over": answer(gzip.compress(bytes(CAP + 1), mtime=0), "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("name", OVERSIZED)
def test_oversized(name: str) -> None:
    with Server(answering(OVERSIZED[name])) as server, pytest.raises(AnswerTooLarge) as caught:
        get(Outbound(), server.url())
    assert caught.value.reason == "oversized"


def test_endless_body_is_not_read_to_its_end() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b"x" * 65_536)

    with Server(script) as server, pytest.raises(AnswerTooLarge):
        get(Outbound(), server.url())


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        (" GZip ", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", bare_deflate),
        ("identity", bytes),
        ("", bytes),
    ],
)
def test_coding_that_was_not_asked_for_is_undone(coding: str, pack: Callable[[bytes], bytes]) -> None:
    body = b'{"access_token": "t"}' * 100
    with Server(answering(answer(pack(body), f"Content-Encoding: {coding}"))) as server:
        assert get(Outbound(), server.url()).body == body


def test_gzip_of_exactly_the_cap() -> None:
    assert decompress(gzip.compress(bytes(CAP), mtime=0), "gzip") == bytes(CAP)


def test_empty_body_needs_no_decoding() -> None:
    assert decompress(b"", "gzip") == b""


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("gzip", gzip.compress(b"{}", mtime=0)[:-1], "truncated"),
        ("gzip", gzip.compress(b"x" * 1000, mtime=0)[:15], "truncated"),
        ("gzip", b"{}", "encoding"),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"rest", "encoding"),
        ("deflate", b"\xff\xff", "encoding"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "encoding"),
        ("br", b"{}", "encoding"),
    ],
)
def test_coding_that_cannot_be_undone(coding: str, body: bytes, reason: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        decompress(body, coding)
    assert caught.value.reason == reason
