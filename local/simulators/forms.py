"""Form-encoded text, decoded as strictly as by Go's `net/url`, which fosite is built on."""

import re
from urllib.parse import quote_plus

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


class MalformedFormError(ValueError):
    """The text is not form-encoded: a `%` without two hexadecimal digits, or a bare semicolon."""


def form_decode(text: str) -> bytes:
    """One form-encoded name or value, decoded: `+` is a space, `%XX` a byte. Raises `MalformedFormError`."""
    raw = text.encode("utf-8", "surrogateescape")
    if _BROKEN_ESCAPE.search(raw):
        raise MalformedFormError("a % is not followed by two hexadecimal digits")
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), raw.replace(b"+", b" "))


def form_encode(text: str) -> str:
    """The reverse, for text that `parse_form` gave: the same bytes again."""
    return quote_plus(text, errors="surrogateescape")


def parse_form(raw: bytes) -> dict[str, str]:
    """A query string or form body as names and values; of a repeated name the first value counts.

    Bytes that are not UTF-8 survive as surrogates, so that a state is echoed byte by byte. Raises
    `MalformedFormError`.
    """
    fields: dict[str, str] = {}
    for pair in raw.decode("utf-8", "surrogateescape").split("&"):
        if ";" in pair:
            raise MalformedFormError("a semicolon separates nothing")
        if pair:
            name, _, value = pair.partition("=")
            fields.setdefault(_text(name), _text(value))
    return fields


def _text(part: str) -> str:
    return form_decode(part).decode("utf-8", "surrogateescape")
