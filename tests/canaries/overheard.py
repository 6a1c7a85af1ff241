"""An AWS engine that keeps what the functions asked of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.privileges.recorder import Recorder


@dataclass
class Overheard:
    """Stands before a recorder, which can also refuse a call. `calls` are operations and bodies, of functions alone."""

    recorder: Recorder
    calls: deque[tuple[str, str]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.account = self.recorder.account

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        caller = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]
        if caller in self.recorder.callers:
            body = environ["wsgi.input"].read()
            environ["wsgi.input"] = BytesIO(body)
            text = body.decode()
            operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
            # SNS speaks the query protocol, which has its operation in the body.
            self.calls.append((operation or parse_qs(text)["Action"][0], text))
        return self.recorder(environ, start_response)
