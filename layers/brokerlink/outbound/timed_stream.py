"""Reads a socket under one deadline."""

import io
import socket
from collections.abc import Buffer
from typing import override

from brokerlink.outbound.countdown import Countdown


class TimedStream(io.RawIOBase):
    """Every read may take what is left of the whole, so a drip gains nothing. Raises TimeoutError."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, countdown: Countdown) -> None:
        self._raw = raw
        self._connection = connection
        self._countdown = countdown

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        self._connection.settimeout(self._countdown.left())
        count: int = self._raw.readinto(buffer)
        return count

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()
