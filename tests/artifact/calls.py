"""An engine that notes which operation each function called."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from io import BytesIO
from threading import Lock
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from local.emulator import Engine

_CALLER = re.compile(r"Credential=(\w+Function)/")


class Calls:
    """Stands before an engine. `by_caller` has each function's operations in the order of their answers."""

    def __init__(self, engine: Engine) -> None:
        self.account = engine.account
        self.by_caller: dict[str, list[str]] = defaultdict(list)
        self._engine = engine
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(body)
        answer = self._engine(environ, start_response)
        if caller := _CALLER.search(environ.get("HTTP_AUTHORIZATION", "")):
            # SNS speaks the query protocol, the others JSON.
            target = environ.get("HTTP_X_AMZ_TARGET") or parse_qs(body.decode())["Action"][0]
            with self._lock:
                self.by_caller[caller[1]].append(target.rpartition(".")[2])
        return answer
