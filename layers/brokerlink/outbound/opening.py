"""Opens a TCP connection, within a time that covers the name's resolution and all of its addresses."""

import math
import queue
import socket
import threading
from collections.abc import Callable, Sequence

from brokerlink.outbound.countdown import Countdown
from brokerlink.outbound.errors import NotSent, Reason

type SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
type AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, SocketAddress]
# socket.getaddrinfo, called with host, port, family and socket kind.
type Resolve = Callable[[str, int, int, int], Sequence[AddressInfo]]


def open_socket(
    host: str, port: int, *, resolve: Resolve, countdown: Countdown, connect_seconds: float = math.inf
) -> socket.socket:
    """Connect to the first address of `host` that answers, within `connect_seconds` of knowing them; raises NotSent.

    Each address gets an equal share of the time left, so that one that swallows packets leaves some for the
    next. The socket's timeout is then what is left, for a TLS handshake.
    """
    reason: Reason = "dns"
    try:
        addresses = _look_up(host, port, resolve, countdown)
        countdown = countdown.at_most(connect_seconds)
        for position, (family, kind, protocol, _, address) in enumerate(addresses):
            share = countdown.left() / (len(addresses) - position)
            try:
                return _connect(socket.socket(family, kind, protocol), address, share, countdown)
            except ConnectionError:
                reason = "refused"
            except TimeoutError:
                reason = "timeout"
            except OSError:
                reason = "unreachable"
    except TimeoutError:
        reason = "timeout"
    raise NotSent(reason)


def _connect(connection: socket.socket, address: SocketAddress, seconds: float, countdown: Countdown) -> socket.socket:
    try:
        connection.settimeout(seconds)
        # Headers and body are two writes: Nagle's algorithm would hold the second back for the first's ACK.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect(address)
        connection.settimeout(countdown.left())
    except BaseException:
        connection.close()
        raise
    return connection


def _look_up(host: str, port: int, resolve: Resolve, countdown: Countdown) -> Sequence[AddressInfo]:
    """Resolve in a thread of its own: getaddrinfo takes no timeout and cannot be interrupted."""
    found: queue.SimpleQueue[Sequence[AddressInfo]] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put(resolve(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM))
        except (OSError, ValueError):  # no such name; not a name
            found.put([])

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        return found.get(timeout=countdown.left())
    except queue.Empty:
        return []
