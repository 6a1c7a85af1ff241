"""How a request to a broker can fail, told by what the broker may have seen of it."""

from typing import ClassVar, Literal

from brokerlink.errors import BrokerlinkError

type Reason = Literal[
    "request",  # not a request that HTTP can carry: a malformed URL, a line break in a header
    "dns",
    "refused",
    "unreachable",
    "tls",
    "timeout",
    "reset",
    "closed",  # the connection ended before the first byte of an answer
    "truncated",  # and after it
    "protocol",  # not HTTP
    "encoding",  # a content coding that was not asked for and cannot be undone
    "oversized",
]


class OutboundError(BrokerlinkError):
    """A request to a broker brought no usable answer.

    `reason` and the text come from a fixed vocabulary, so both may be logged. The cause, where there is one,
    is an error of the socket or of TLS, which know nothing of the request.
    """

    meaning: ClassVar[str] = "no usable answer"

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"{self.meaning}: {reason}")
        self.reason: Reason = reason


class NotSent(OutboundError):
    """No byte of the request left: it may be sent again."""

    meaning = "nothing was sent"


class NoAnswer(OutboundError):
    """The request was sent, or may have been; what the broker made of it is unknown."""

    meaning = "sent, but no complete answer came"


class AnswerTooLarge(OutboundError):
    """The request was sent; its answer exceeds the cap, as received or after decompression."""

    meaning = "sent, and the answer is too large"

    def __init__(self) -> None:
        super().__init__("oversized")
