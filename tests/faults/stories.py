"""Whole logins, good and bad, as lists of requests, with every call that each makes in its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.faults.brokers import Endpoint
from tests.faults.journey import Journey
from tests.faults.line import Point
from tests.faults.steps import Request, unpublishable

_TOKEN, _IDENTITY = Endpoint.POCKETFUL_TOKEN.name, Endpoint.POCKETFUL_IDENTITY.name


class Moment(StrEnum):
    """Where the process is stopped; or it goes on, and the answer of the call is lost."""

    BEFORE = "stopped before"
    AFTER = "stopped after"
    LOST = "answer lost of"


@dataclass(frozen=True)
class Story:
    """`requests` in their order and the `calls` that they make; `again` is what the browser repeats at the end.

    With `broken`, the login meets that fault at its broker.
    """

    title: str
    requests: tuple[Request, ...]
    calls: tuple[str, ...]
    broker: str = "pocketful"
    declines: bool = False
    broken: tuple[Endpoint, str] | None = None
    again: Request = Journey.come_back

    def points(self) -> Iterator[Point]:
        """Give the calls as points: which one of its kind each is."""
        for position, call in enumerate(self.calls):
            yield Point(call, self.calls[: position + 1].count(call))


_LOGIN = (Journey.start, Journey.come_back)
_READY = ("PutItem", "GetSecretValue", "UpdateItem")

STORIES: tuple[Story, ...] = (
    Story(
        "login at Pocketful",
        (*_LOGIN, Journey.announce),
        (*_READY, _TOKEN, _IDENTITY, "Encrypt", "TransactWriteItems", "GetItem", "Publish"),
    ),
    Story(
        "login at 5paisa",
        (*_LOGIN, Journey.announce),
        (*_READY, Endpoint.FIVEPAISA_TOKEN.name, "Encrypt", "TransactWriteItems", "GetItem", "Publish"),
        broker="fivepaisa",
    ),
    Story(
        "login that is held and confirmed",
        (Journey.prepare, *_LOGIN, Journey.look, Journey.confirm, Journey.announce),
        (
            *("PutItem", "GetItem"),
            *_READY,
            *(_TOKEN, _IDENTITY, "Encrypt", "UpdateItem", "GetItem"),
            *("GetItem", "TransactWriteItems", "GetItem", "Publish"),
        ),
    ),
    Story(
        "login that the broker refuses",
        _LOGIN,
        (*_READY, _TOKEN, "UpdateItem", "GetItem"),
        broken=(Endpoint.POCKETFUL_TOKEN, "4xx, invalid_grant"),
    ),
    Story(
        "login whose grant cannot be sent",
        _LOGIN,
        (*_READY, _TOKEN, _TOKEN, "UpdateItem"),
        broken=(Endpoint.POCKETFUL_TOKEN, "refused"),
    ),
    Story(
        "login that the customer cancels",
        _LOGIN,
        ("PutItem", "UpdateItem", "GetItem"),
        declines=True,
    ),
    Story(
        "record that no event can be made of",
        (unpublishable, Journey.announce),
        ("SendMessage",),
        again=Journey.announce,
    ),
)
