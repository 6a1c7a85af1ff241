"""What stands in for the world outside: a clock, Lambda's context, and the brokers' answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from brokerlink.outbound import Answer, Request

# Monday 23 November 2026, 09:00:00 IST.
MORNING = 1_795_404_600
MIDNIGHT = 1_795_458_600


class Clock:
    """A clock that moves when told to, or by sleeping, for both the time of day and the monotonic one."""

    def __init__(self, now: float = MORNING) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class BrokerHttp:
    """Stands where `Outbound` does: answers with what the test has lined up, and keeps what was sent.

    The real protocol is spoken in the integration tests; here single answers are needed that no server gives.
    """

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.sent: list[Request] = []
        self.script: list[Answer | Exception | Callable[[Request], Answer]] = []

    def opening(self, url: str, *, deadline: float) -> AbstractContextManager[None]:
        del deadline
        self.opened.append(url)
        return nullcontext()

    def send(self, request: Request, *, deadline: float, fresh: bool) -> Answer:
        del deadline, fresh
        self.sent.append(request)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    """Give an answer with a JSON body, or with the bytes or text given."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def pocketful(
    account: str = "YA0002", token: str = "canary-access-token", scope: str = "orders holdings"
) -> list[Answer]:
    """Give Pocketful's answers to a good exchange and to the question whose token it is."""
    issued = {"access_token": token, "token_type": "bearer", "expires_in": 86399, "scope": scope}
    return [answer(issued), answer({"status": "success", "data": {"client_id": account}})]


@dataclass
class Context:
    """Lambda's context object."""

    remaining: int = 28_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining
