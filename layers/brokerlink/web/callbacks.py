"""Reads what a broker's callback carries, before anything is looked up or touched."""

from __future__ import annotations

import re
from typing import Final

from brokerlink.brokers.base import Broker
from brokerlink.outcomes import Callback
from brokerlink.secret import Secret
from brokerlink.web.request import BadRequest, single

STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
# What a broker can send: RFC 6749 appendix A, with a length.
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]{0,4096}")


class StateMissing(BadRequest):
    """The callback has no state, or an empty one: it cannot be attributed to any attempt."""


def read_parameters(broker: Broker, pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Give the parameters that this broker's callback reads.

    Raises `BadRequest` where any parameter is repeated, or where one that is read is over 4,096 bytes or not printable
    ASCII.
    """
    single(pairs)
    read = single([(name, value) for given, value in pairs if (name := broker.parameter(given)) is not None])
    if not all(_PRINTABLE.fullmatch(value) for value in read.values()):
        raise BadRequest("a parameter is over 4,096 bytes, or not printable ASCII")
    return read


def read_callback(broker: Broker, parameters: dict[str, str]) -> Callback:
    """Read a callback's parameters. Raises `BadRequest` where one is malformed, `StateMissing`."""
    state = parameters.get("state")
    if not state:
        raise StateMissing("the callback has no state")
    if not STATE.fullmatch(state):
        raise BadRequest("the callback's state is none of ours")
    if not broker.accepts(parameters):
        raise BadRequest("the callback is from another issuer")
    value = parameters.get(broker.grant_parameter)
    if value == "":
        raise BadRequest("the callback's grant is empty")
    refusal = broker.refusal(parameters)
    if refusal is not None or value is None:
        return Callback(Secret(state), refusal=refusal)
    return Callback(Secret(state), grant=broker.read_grant(Secret(value)))
