"""The forms in which a secret is written down."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from functools import cache
from typing import Final
from urllib.parse import quote, quote_plus

# Shorter ones say too little: they turn up by chance.
_SHORTEST: Final = 12


@cache
def forms(secret: str | bytes) -> frozenset[str]:
    """Give a secret as it is, and as it reads in JSON, URLs, HTML, headers, Python's `repr`, hexadecimal and base64."""
    raw = secret.encode() if isinstance(secret, str) else secret
    found = set(_of_bytes(raw))
    if isinstance(secret, str):
        # The latter is what a Basic header is made of (RFC 6749 §2.3.1).
        found |= {*_of_text(secret), *_of_bytes(quote_plus(secret).encode())}
    return frozenset(form for form in found if len(form) >= _SHORTEST)


def _of_text(text: str) -> Iterator[str]:
    yield from (text, text.lower(), text.upper(), text[::-1])
    for written in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]):
        yield from (written, json.dumps(written)[1:-1])
    yield "".join(f"\\u{ord(character):04x}" for character in text)
    yield "".join(f"&#{ord(character)};" for character in text)
    yield html.escape(text)
    for quoted in (quote(text, safe=""), quote_plus(text), quote(text)):
        yield from (quoted, quote(quoted, safe=""))


def _of_bytes(raw: bytes) -> Iterator[str]:
    yield from (repr(raw)[2:-1], json.dumps(repr(raw)[2:-1])[1:-1])
    yield from (raw.hex(), raw.hex().upper(), "".join(f"%{byte:02X}" for byte in raw))
    for coded in in_base64(raw):
        for text in (coded, coded.replace("+", "-").replace("/", "_")):
            yield from (text, quote(text, safe=""))


def in_base64(raw: bytes) -> list[str]:
    """Give the three looks that bytes have within base64, by the place at which they begin.

    Their first and last characters may be their neighbours' too, and are left out.
    """
    looks = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        looks.append(coded[(0, 2, 3)[before] : len(coded) - (1 if (before + len(raw)) % 3 else 0)])
    return looks
