"""HTTP as a broker's file sees it: two kinds of request, and no deadlines or connections to think of."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from brokerlink.outbound import Answer, Request

if TYPE_CHECKING:  # a function that sends nothing to brokers does not load the HTTP client
    from brokerlink.outbound import Outbound


class Door(Protocol):
    """HTTP to one broker within one login: its deadline is set, its failures are those of `outbound`."""

    def exchange(self, request: Request) -> Answer:
        """Send a request that carries the grant, on a connection opened for it."""

    def ask(self, request: Request) -> Answer:
        """Send a request that may be repeated; the exchange's connection serves it too."""


@dataclass(frozen=True, slots=True)
class HttpDoor:
    """The door over HTTP; nothing passes after `deadline`, on the clock of `outbound`."""

    outbound: Outbound
    deadline: float

    def opening(self, url: str) -> AbstractContextManager[None]:
        """Open a connection meanwhile, so that the customer does not wait for it."""
        return self.outbound.opening(url, deadline=self.deadline)

    def exchange(self, request: Request) -> Answer:
        """Send on a connection opened for it: one kept alive and silently dropped would swallow the grant."""
        return self.outbound.send(request, deadline=self.deadline, fresh=True)

    def ask(self, request: Request) -> Answer:
        """Send on a live connection, if there is one."""
        return self.outbound.send(request, deadline=self.deadline, fresh=False)
