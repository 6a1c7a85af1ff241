"""The functions in this process, on moto, with everything that could print listening."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, Final, override

import pytest

from brokerlink.outbound import Answer, AnswerTooLarge, NoAnswer, NotSent, Request
from tests.canaries.brokers import SECRETS, apps
from tests.canaries.site import Site
from tests.kit.browser import Reply
from tests.kit.world import BASE_URL, World

# Powertools' variables for debugging, and Lambda's own level.
DEBUGGING: Final = {
    "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
    "POWERTOOLS_DEV": "true",
    # In development Powertools counts nothing, unless it is told to.
    "POWERTOOLS_METRICS_DISABLED": "false",
    "POWERTOOLS_DEBUG": "true",
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "POWERTOOLS_LOGGER_SAMPLE_RATE": "1",
}


def _crash(request: Request) -> Answer:
    raise RuntimeError(f"{request.url} {request.headers} {request.body!r}")


_FAULTS: Final[Mapping[str, Exception | Callable[[Request], Answer]]] = {
    "crash": _crash,
    "refused": NotSent("refused"),
    "reset": NoAnswer("reset"),
    "encoding": NoAnswer("encoding"),
    "oversized": AnswerTooLarge(),
}


class _NotingWorld(World):
    """Keeps what its functions send to AWS: operations and bodies."""

    def __init__(self, apps: Mapping[str, Any], secrets: Mapping[str, Any], **environment: str) -> None:
        self.sent: list[tuple[str, str]] = []
        super().__init__(apps, secrets, **environment)

    @override
    def called(self, operation: str, parameters: Mapping[str, Any]) -> None:
        self.sent.append((operation, parameters["body"].decode()))
        super().called(operation, parameters)


class InProcess(Site):
    """A world of the kit."""

    base_url = BASE_URL
    cookie = "__Host-brokerlink"

    def __init__(self, own_apps: Mapping[str, Any] | None = None, **environment: str) -> None:
        made = apps() if own_apps is None else own_apps
        self.world = _NotingWorld(made, SECRETS, **{"BROKERLINK_RETURN_TO": f"{BASE_URL}/example/", **environment})

    @override
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
        self.world.host = host or World.host
        # No two logins begin at the same moment.
        self.world.clock.now += 0.01
        return self.world.request(method, target, headers=headers, cookies=cookies, body=body)

    @override
    def tell(self, *answers: Answer | str) -> None:
        self.world.http.script = [each if isinstance(each, Answer) else _FAULTS[each] for each in answers]

    @override
    def heard(self) -> list[tuple[str, str]]:
        sent, self.world.http.sent = self.world.http.sent, []
        return [(each.method, f"{each.url} {dict(each.headers)} {(each.body or b'').decode()}") for each in sent]

    @override
    def called(self) -> list[tuple[str, str]]:
        calls, self.world.sent = self.world.sent, []
        return calls


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """Collect all that is printed or logged: Powertools' debugging on, the root logger at DEBUG.

    Sites are made within, since Powertools reads its variables when a logger is made.
    """
    printed = io.StringIO()
    handler = logging.StreamHandler(printed)
    root = logging.getLogger()
    level = root.level
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(printed),
        redirect_stderr(printed),
        warnings.catch_warnings(),
    ):
        # Powertools' own, that its debugging is on.
        warnings.filterwarnings("ignore", message="POWERTOOLS_")
        for name, value in DEBUGGING.items():
            patch.setenv(name, value)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield printed
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
