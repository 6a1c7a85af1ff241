"""HTTP to brokers: bounded in time and size, and exact about whether a request was sent."""

from typing import TYPE_CHECKING

from brokerlink.logs import silence_wire_loggers
from brokerlink.outbound.errors import AnswerTooLarge, NoAnswer, NotSent, OutboundError, Reason
from brokerlink.outbound.messages import Answer, Request
from brokerlink.outbound.strict_json import JsonValue, NotJson, parse_json

if TYPE_CHECKING:
    from brokerlink.outbound.client import Outbound
else:

    def __getattr__(name: str) -> type:
        # The functions that only send browsers to brokers, or events to SNS, need the values of this package at most,
        # and never the client.
        if name != "Outbound":
            raise AttributeError(name)
        from brokerlink.outbound.client import Outbound  # noqa: PLC0415  # see above

        return Outbound


silence_wire_loggers()

__all__ = [
    "Answer",
    "AnswerTooLarge",
    "JsonValue",
    "NoAnswer",
    "NotJson",
    "NotSent",
    "Outbound",
    "OutboundError",
    "Reason",
    "Request",
    "parse_json",
]
