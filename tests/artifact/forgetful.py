"""A network that forgets connections, as NAT gateways, firewalls and restarted servers do."""

from __future__ import annotations

import re
import socket
from enum import StrEnum
from typing import Self

from tests.unit.outbound_server import PATIENCE, Peer, Server

_CLOSES = re.compile(rb"(?i)\r\nconnection: close(?=\r\n)")


class Forgets(StrEnum):
    """How a connection is found to be forgotten."""

    SILENTLY = "silently"
    WITH_RESET = "with a reset"


class Forgetful:
    """Passes requests on to a port of this machine, over connections that it keeps alive until it forgets them.

    Use it in a `with` statement. `met` counts the connections that were used after they had been forgotten.
    """

    def __init__(self, port: int) -> None:
        self.met = 0
        self._to = port
        self._server = Server(self._serve)
        self._forgets: Forgets | None = None
        self._forgotten_until = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def opened(self) -> int:
        """How many connections there were so far."""
        return self._server.connections

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.__exit__(*exception)

    def forget(self, how: Forgets) -> None:
        """Forget all connections that there are. Nobody is told."""
        self.met, self._forgets, self._forgotten_until = 0, how, self.opened

    def _serve(self, peer: Peer) -> None:
        number = self.opened
        while request := peer.read_request():
            if number > self._forgotten_until:
                peer.send(self._pass_on(request))
                continue
            self.met += 1
            if self._forgets is Forgets.WITH_RESET:
                peer.reset()
            else:
                peer.hang()
            return

    def _pass_on(self, request: bytes) -> bytes:
        # Whoever answers there looks at Host, and need not keep this connection.
        host = f":{self.port}\r\n".encode(), f":{self._to}\r\nConnection: close\r\n".encode()
        with socket.create_connection(("127.0.0.1", self._to), PATIENCE) as connection:
            connection.sendall(request.replace(*host, 1))
            with connection.makefile("rb") as answer:
                return _CLOSES.sub(b"", answer.read(), count=1)
