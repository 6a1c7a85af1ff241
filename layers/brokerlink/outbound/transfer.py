"""One request on its way: the time it has left, and what has happened to it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brokerlink.outbound.countdown import Countdown
from brokerlink.outbound.errors import AnswerTooLarge, NoAnswer, NotSent, OutboundError, Reason
from brokerlink.outbound.opening import Resolve

if TYPE_CHECKING:  # they carry transfers
    from brokerlink.outbound.ahead import Ahead
    from brokerlink.outbound.connection import TimedConnection

# Status line, headers and framing included: http.client alone would take a hundred headers of 64 KiB each.
MAX_RECEIVED_BYTES = 128 * 1024


@dataclass(slots=True)
class Transfer:
    """What the connection classes must know of the request they carry, and what they note about it.

    `ahead` is a connection that was opened for it, or is being opened.
    """

    countdown: Countdown
    fresh: bool
    resolve: Resolve
    ahead: Ahead[TimedConnection] | None = None
    sent: bool = False
    received: int = 0
    ended: bool = False

    def note_received(self, count: int) -> None:
        """Count bytes from the broker, zero being the end of its stream; raises AnswerTooLarge."""
        self.received += count
        self.ended = count == 0
        if self.received > MAX_RECEIVED_BYTES:
            raise AnswerTooLarge

    def failure(self, reason: Reason) -> OutboundError:
        """Give the error for `reason`, by whether the request was sent."""
        return NoAnswer(reason) if self.sent else NotSent(reason)

    def socket_failure(self, error: OSError) -> OutboundError:
        """Give the error for a read or a write that failed."""
        return self.failure("timeout" if isinstance(error, TimeoutError) else "reset")

    def library_failure(self, error: Exception) -> OutboundError:
        """Give the error for what the HTTP libraries refused: our request, or the bytes that answered it."""
        if isinstance(error, TimeoutError):
            return self.failure("timeout")
        if not self.sent:
            return self.failure("request")
        if not self.ended:
            return self.failure("protocol")
        return self.failure("truncated" if self.received else "closed")


# Between Outbound and the connection classes stands urllib3, which passes nothing of ours through.
current_transfer: ContextVar[Transfer] = ContextVar("current_transfer")
