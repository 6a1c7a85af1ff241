"""An engine that keeps what was asked of it, and can refuse a call."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from threading import Condition
from wsgiref.types import StartResponse, WSGIEnvironment

from local.emulator import Engine
from tests.privileges.calls import Call, calls_of


@dataclass
class Recorder:
    """Stands before an engine. `callers` are the functions: whoever else calls is the stack itself, or a test."""

    engine: Engine
    callers: frozenset[str]
    calls: Counter[Call] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.account = self.engine.account
        self._changed = Condition()
        self._refusals: Counter[tuple[str, str]] = Counter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        caller = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]
        if caller not in self.callers:
            return self.engine(environ, start_response)
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(body)
        refused = self._refused({(call.caller, call.action) for call in calls_of(environ, body)})
        answer = b"".join(_refuse(start_response) if refused else self.engine(environ, start_response))
        with self._changed:
            self.calls.update(calls_of(environ, body, answer))
            self._changed.notify_all()
        return [answer]

    def _refused(self, asked: set[tuple[str, str]]) -> bool:
        with self._changed:
            chosen = next((one for one in asked if self._refusals[one]), None)
            if chosen is not None:
                self._refusals[chosen] -= 1
            return chosen is not None

    def refuse(self, caller: str, action: str) -> None:
        """Refuse the next such call for good: the caller's own tries stop there."""
        with self._changed:
            self._refusals[caller, action] += 1

    def wait_for(self, caller: str, action: str, resource: str, *, times: int = 1) -> None:
        """Wait until such a call was made."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count(caller, action, resource) >= times, 30), (caller, action)

    def count(self, caller: str, action: str, resource: str) -> int:
        wanted = (caller, action, resource)
        return sum(n for call, n in self.calls.items() if (call.caller, call.action, call.resource) == wanted)


def _refuse(start_response: StartResponse) -> Iterable[bytes]:
    body = json.dumps({"__type": "AccessDeniedException", "message": "refused"}).encode()
    start_response(
        "400 Bad Request", [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
    )
    return [body]
