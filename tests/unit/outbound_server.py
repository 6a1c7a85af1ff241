"""A broker made of raw bytes, for tests of what `brokerlink.outbound` makes of them."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Self

from brokerlink.outbound import Answer, Outbound, Request

# Longer than any deadline in these tests: reached only if the code under test hangs.
PATIENCE = 10.0


class Peer:
    """One accepted connection, in the hands of a test's script."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self.connection = connection
        self._over = over
        self._ahead = b""
        self.sipped = 0

    def read_request(self) -> bytes:
        """Read a request with its Content-Length body; empty when the client has left."""
        while b"\r\n\r\n" not in self._ahead:
            if not (data := self.connection.recv(65_536)):
                return b""
            self._ahead += data
        head, _, rest = self._ahead.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(rest) < length:
            if not (data := self.connection.recv(65_536)):
                return b""
            rest += data
        self._ahead = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes, pause: float = 0.05) -> None:
        """Send a byte at a time, each sooner than any timeout that starts anew with every read."""
        for byte in data:
            self.connection.sendall(bytes([byte]))
            if self._over.wait(pause):
                return

    def sip(self, pause: float = 0.005) -> None:
        """Read until the client has left, 16 KiB at a time, each sooner than any timeout that starts anew with every
        write; `sipped` counts the bytes.
        """
        while data := self.connection.recv(16_384):
            self.sipped += len(data)
            time.sleep(pause)

    def hang(self) -> None:
        """Keep the connection open and say nothing until the test is over."""
        self._over.wait(PATIENCE)

    def reset(self) -> None:
        """Close with RST, as a crashed server or a firewall does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Clock:
    """A monotonic clock that jumps when told to, and otherwise goes as clocks do."""

    def __init__(self) -> None:
        self.jumped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.jumped


type Script = Callable[[Peer], None]


class Server:
    """Runs `script` for each connection, in a thread of its own, and counts connections."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._peers: list[socket.socket] = []
        self.connections = 0
        self.port: int = self._listener.getsockname()[1]
        self.left = threading.Semaphore(0)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE)
        for peer in self._peers:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(peer, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a server thread hangs"
        for peer in self._peers:
            peer.close()
        self._listener.close()

    def url(self, path: str = "/", scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._peers.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._peers.append(connection)
            self._script(Peer(connection, self._over))
        except OSError:
            pass  # the client went away, which is often the point
        finally:
            connection.close()
            self.left.release()


def answer(body: bytes = b"{}", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Write an answer with its Content-Length, or with a false one."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answering(*answers: bytes) -> Script:
    """Script: give these answers, the last of them again and again, on a connection kept alive."""

    def script(peer: Peer) -> None:
        left = list(answers)
        while peer.read_request():
            peer.send(left.pop(0) if len(left) > 1 else left[0])

    return script


def saying(raw: bytes) -> Script:
    """Script: take a request, say this, and hang up."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(raw)

    return script


def get(
    outbound: Outbound, url: str, *, seconds: float = 5.0, fresh: bool = True, headers: dict[str, str] | None = None
) -> Answer:
    """Send a GET with a deadline so many seconds ahead."""
    request = Request("GET", url, headers or {})
    return outbound.send(request, deadline=time.monotonic() + seconds, fresh=fresh)
