"""A broker's API on loopback that answers as it is told, byte for byte."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

TOKEN = {"access_token": "scripted-token", "token_type": "bearer", "scope": "orders holdings"}
ACCOUNT = {"data": {"client_id": "SC0001"}}


@dataclass(frozen=True)
class Said:
    """One answer; what is not bytes is written as JSON."""

    body: object
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class ScriptedBroker:
    """`token` and `identity` are what its two endpoints say next; `grants` are the forms of all token requests."""

    url: str
    token: Said = Said(TOKEN)
    identity: Said = Said(ACCOUNT)
    grants: list[str] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        """Give the app's settings for brokers.local.toml."""
        return {
            "protocol": "oauth2",
            "client_id": "scripted",
            "client_secret": "scripted-secret",
            "scope": "orders holdings",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "account": {"from": "get", "url": f"{self.url}/me", "path": "data.client_id"},
        }


@contextmanager
def serve_scripted_broker() -> Iterator[ScriptedBroker]:
    """Serve it until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            broker.grants.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._say(broker.token)

        def do_GET(self) -> None:
            self._say(broker.identity)

        def _say(self, said: Said) -> None:
            self.send_response(said.status)
            for name, value in said.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.raw)))
            self.end_headers()
            self.wfile.write(said.raw)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    broker = ScriptedBroker(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield broker
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
