"""Hands calls on to an engine that runs as a process of its own."""

import http.client
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from local.ports import LOOPBACK

_SECONDS = 60.0
# Of one connection and not of the message (RFC 9110 §7.6.1); the server adds its own.
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "server"})


class Forwarder:
    """WSGI application: sends each call to a port on loopback, and gives back what comes from there."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call, whose `wsgi.input` holds all of its body."""
        # A connection each: one that the engine closed meanwhile would swallow a call.
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_SECONDS)
        try:
            connection.request(
                environ["REQUEST_METHOD"], environ["RAW_URI"], environ["wsgi.input"].read(), _headers(environ)
            )
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        headers = [(name, value) for name, value in reply.getheaders() if name.lower() not in _HOP_BY_HOP]
        start_response(f"{reply.status} {reply.reason}", headers)
        return [content]


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    named = {name.removeprefix("HTTP_"): value for name, value in environ.items() if name.startswith("HTTP_")}
    named |= {name: environ[name] for name in ("CONTENT_TYPE",) if environ.get(name)}
    return {name.replace("_", "-").title(): value for name, value in named.items() if name != "CONNECTION"}
