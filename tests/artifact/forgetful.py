"""A network that forgets connections, as NAT gateways, firewalls and restarted servers do."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from enum import StrEnum
from typing import Self


class Forgets(StrEnum):
    """How a connection is found to be forgotten."""

    SILENTLY = "what is sent into it is never heard of again"
    WITH_RESET = "what is sent into it is answered with a reset"


class Forgetful:
    """Passes connections on to a port of this machine; use it in a `with` statement.

    `met` counts the connections that were used after they had been forgotten, `opened` all that there were.
    """

    def __init__(self, port: int) -> None:
        self.met = self.opened = 0
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[_Connection] = []
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for connection in self._connections:
            connection.end()

    def forget(self, how: Forgets) -> None:
        """Forget all connections that there are. Nobody is told."""
        self.met = 0
        for connection in self._connections:
            connection.forgotten = how

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.opened += 1
            self._connections.append(_Connection(self, client, self._to))


class _Connection:
    def __init__(self, network: Forgetful, client: socket.socket, port: int) -> None:
        self.forgotten: Forgets | None = None
        self._network = network
        self._client, self._server = client, socket.create_connection(("127.0.0.1", port))
        # Whoever answers there looks at Host; all of these ports have five digits.
        self._host = f":{network.port}\r\n".encode(), f":{port}\r\n".encode()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        for end in (self._client, self._server):
            _shut_down(end)
        for thread in self._threads:
            thread.join()
        for end in (self._client, self._server):
            end.close()

    def _send(self) -> None:
        while data := _read(self._client):
            if self.forgotten is None:
                self._server.sendall(data.replace(*self._host, 1))
                continue
            self._network.met += 1
            if self.forgotten is Forgets.WITH_RESET:
                self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._client.close()
                break
        _shut_down(self._server)

    def _receive(self) -> None:
        while data := _read(self._server):
            self._client.sendall(data)
        if self.forgotten is None:
            _shut_down(self._client)


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except OSError:
        return b""


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)
