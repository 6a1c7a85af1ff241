"""The routes of the HTTP API, as API Gateway chooses among them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from local.http1 import BadRequestError

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]*|\{[A-Za-z0-9._-]+\}")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Route:
    """One route: an HTTP method and a path such as ``/callback/{broker}``, run by ``function``.

    ``iam`` routes want a SigV4 signature. Raises ValueError for what only the real gateway plays: ``ANY``,
    ``$default`` and greedy parameters.
    """

    method: str
    path: str
    function: str
    iam: bool = False

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            raise ValueError(f"not one HTTP method: {self.method}")
        if not self.path.startswith("/") or not all(_SEGMENT.fullmatch(part) for part in self.path.split("/")):
            raise ValueError(f"a path that is not played here: {self.path}")

    @property
    def key(self) -> str:
        """The route key, ``GET /callback/{broker}``."""
        return f"{self.method} {self.path}"

    def match(self, path: str) -> dict[str, str] | None:
        """Return the path parameters where ``path``, decoded, is this route's, else None."""
        wanted, given = self.path.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        parameters = {}
        for template, segment in zip(wanted, given, strict=True):
            if template.startswith("{") and segment:
                parameters[template[1:-1]] = segment
            elif template != segment:
                return None
        return parameters


@dataclass(frozen=True, slots=True)
class Match:
    """A route with the parameters that a request's path gave it."""

    route: Route
    parameters: Mapping[str, str]


def find_route(routes: Iterable[Route], method: str, path: str) -> Match | None:
    """Return the route for a decoded path, the one with the fewest parameters, or None.

    A HEAD is a method like any other: a GET route does not answer it.
    """
    matches = [
        Match(route, parameters)
        for route in routes
        if route.method == method and (parameters := route.match(path)) is not None
    ]
    return min(matches, key=lambda match: len(match.parameters), default=None)


def decoded_path(path: str) -> str:
    """Return a request's path as an HTTP API routes it and shows it in ``rawPath``.

    Unlike what the name says, ``rawPath`` is decoded; and the gateway decodes twice, with what follows a
    decoded ``?`` lost in between (``/a%3Fb`` arrives as ``/a``, ``/a%252Fb`` as ``/a/b``), and answers 400
    where the second decoding fails (``/a%25done``). Captured from live HTTP APIs by the hotsock/voker
    project, pull request 8.

    Raises BadRequestError.
    """
    once = _decoded(path).partition("?")[0]
    return _decoded(once)


def _decoded(text: str) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise BadRequestError
    return unquote(text, encoding="utf-8", errors="replace")
