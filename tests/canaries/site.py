"""What a walk needs: a way to ask the functions, and brokers that answer as told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

from brokerlink.outbound import Answer
from tests.kit.browser import Reply

_PATHS: Final = {
    "": "/",
    "authorize": "/authorize/{broker}",
    "sessions": "/sessions",
    "callback": "/callback/{broker}",
    "result": "/result",
    "confirm": "/confirm",
    "attempts": "/attempts/{attempt_id}",
    "connections": "/connections/{user_id}",
}
BACKEND: Final = ("sessions", "confirm", "attempts", "connections")


def first_part(target: str) -> str:
    """Give the first part of a target's path."""
    return target.partition("?")[0].split("/")[1]


def route_of(method: str, target: str) -> str:
    """Give the route key of a request."""
    path = _PATHS[first_part(target)]
    return f"{method} {path}/{{broker}}/{{account}}" if method == "DELETE" else f"{method} {path}"


class Site(ABC):
    """The functions behind the API, and the brokers."""

    base_url: str
    # The browser key's.
    cookie: str

    @abstractmethod
    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        cookies: list[str],
        body: str | None,
        host: str | None,
    ) -> Reply:
        """Send a request, to another host than the base URL's if one is given."""

    @abstractmethod
    def tell(self, *answers: Answer | str) -> None:
        """Line up what brokers answer; a text is a fault: `refused`, `reset`, `oversized`, `encoding`, `crash`."""

    @abstractmethod
    def heard(self) -> list[tuple[str, str]]:
        """Give the method and the text of each request that brokers got since this was last asked."""

    @abstractmethod
    def called(self) -> list[tuple[str, str]]:
        """Give the operation and the body of each call that the functions made to AWS since this was last asked."""
