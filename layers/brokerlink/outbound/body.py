"""Reads an answer's body under the cap, whatever its framing and coding."""

import zlib

from urllib3 import BaseHTTPResponse

from brokerlink.outbound.errors import AnswerTooLarge, NoAnswer

MAX_BODY_BYTES = 64 * 1024
# zlib's wbits. "deflate" means the zlib format (RFC 9110 §8.4.1.2), but some servers send bare deflate.
_WINDOWS = {
    "gzip": (16 + zlib.MAX_WBITS,),
    "x-gzip": (16 + zlib.MAX_WBITS,),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}


def read_body(raw: BaseHTTPResponse) -> bytes:
    """Read the whole body, decompressed. Raises AnswerTooLarge over 64 KiB before or after, and NoAnswer."""
    body = bytearray()
    while piece := raw.read1(MAX_BODY_BYTES + 1 - len(body), decode_content=False):
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise AnswerTooLarge
    return decompress(bytes(body), raw.headers.get("content-encoding", ""))


def decompress(body: bytes, coding: str) -> bytes:
    """Undo a content coding. None is asked for: one of those that servers apply all the same is enough."""
    coding = coding.strip().lower()
    if not body or coding in {"", "identity"}:
        return body
    for window in _WINDOWS.get(coding, ()):
        decoder = zlib.decompressobj(window)
        try:
            plain = decoder.decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            continue
        if len(plain) > MAX_BODY_BYTES:
            raise AnswerTooLarge
        if not decoder.eof:
            raise NoAnswer("truncated")
        if decoder.unused_data:
            raise NoAnswer("encoding")
        return plain
    raise NoAnswer("encoding")
