"""A request to a broker and its answer, as values that can be logged by accident."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import override
from urllib.parse import urlsplit

from brokerlink.outbound.strict_json import JsonValue, parse_json


@dataclass(frozen=True, slots=True)
class Request:
    """`url` is absolute and already encoded; `headers` and `body` are sent as they are."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None

    @override
    def __repr__(self) -> str:
        """The method and where it goes. The query, userinfo, headers and body can hold secrets."""
        return f"Request({self.method} {_place(self.url)})"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer of at most 64 KiB. `headers` has lower-case names; `body` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> JsonValue:
        """Read the body as JSON; raises NotJson."""
        return parse_json(self.body)

    @override
    def __repr__(self) -> str:
        """The status and the body's length. Headers and body can hold the token."""
        return f"Answer({self.status}, {len(self.body)} bytes)"


def _place(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "(malformed URL)"
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
