"""Where a login may end: checked against the stack's list, and kept byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote, urlencode, urlsplit

# What we add to the query; a platform's own parameter of that name, in any case, would be read instead of ours.
_OURS: Final = frozenset({"status", "broker", "attempt", "error"})
_ENCODED_IN_PATH: Final = re.compile(r"%(2f|5c|2e)", re.IGNORECASE)
_LONGEST: Final = 2048


def is_allowed(url: str, prefixes: Iterable[str]) -> bool:
    """Say whether a login may end at `url`: the exact origin of one of `prefixes`, at its path or below it.

    Refused whatever the list says: fragment, userinfo, backslash, control or non-ASCII characters, dot segments or
    encoded slashes and dots in the path, and a query parameter with a name of ours.
    """
    if len(url) > _LONGEST or not all("!" <= character <= "~" for character in url) or "\\" in url or "#" in url:
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or not parts.netloc or _ENCODED_IN_PATH.search(parts.path):
        return False
    if {".", ".."} & set(parts.path.split("/")):
        return False
    names = (unquote(pair.partition("=")[0].replace("+", " ")) for pair in re.split("[&;]", parts.query))
    if any(name.strip().lower() in _OURS for name in names):
        return False
    return any(_is_below(url, prefix) for prefix in prefixes)


def _is_below(url: str, prefix: str) -> bool:
    # Compared as text: whatever a parser makes of the URL, these are the bytes that the browser gets.
    if not url.startswith(prefix):
        return False
    rest = url[len(prefix) :]
    return prefix.endswith("/") or not rest or rest[0] in "/?"


def with_outcome(return_to: str, outcome: Mapping[str, str]) -> str:
    """Give `return_to` with the outcome added to its query; what was there is kept byte for byte."""
    added = urlencode(outcome)
    if "?" not in return_to:
        return f"{return_to}?{added}"
    return f"{return_to}{added}" if return_to.endswith(("?", "&")) else f"{return_to}&{added}"
