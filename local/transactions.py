"""What the emulator's DynamoDB lacks: isolation, and transactions that may be repeated.

moto copies a table when a transaction begins and puts the copy back when it is cancelled, with nothing to
keep other writes out in between: rows get lost and one condition can be met twice. One lock around every
DynamoDB and DynamoDB Streams call makes each of them whole.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# A token is remembered for ten minutes after its transaction completed:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_TOKEN_SECONDS = 600

_MISMATCH = json.dumps(
    {
        "__type": "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
        "message": "DynamoDB rejected the request because you retried a request with a different payload but "
        "with an idempotent token that was already used.",
    }
).encode()


@dataclass(frozen=True)
class _Completed:
    content: bytes
    until: float


class SerialisedTransactions:
    """WSGI middleware: one DynamoDB call at a time; a ClientRequestToken runs its transaction once."""

    def __init__(self, application: WSGIApplication, now: Callable[[], float] = time.monotonic) -> None:
        self._application = application
        self._now = now
        self._lock = Lock()
        self._completed: dict[str, _Completed] = {}

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse, operation: str, body: bytes
    ) -> Iterable[bytes]:
        """Answer one call; `operation` is its X-Amz-Target, `body` what `wsgi.input` holds."""
        token, content = _transaction(body) if operation.endswith(".TransactWriteItems") else ("", b"")
        with self._lock:
            if not token:
                return self._application(environ, start_response)
            earlier = self._completed_by(token)
            if earlier is None:
                return self._carry_out(environ, start_response, token, content)
        if earlier.content == content:
            return _answer(start_response, "200 OK", b"{}")
        return _answer(start_response, "400 Bad Request", _MISMATCH)

    def _completed_by(self, token: str) -> _Completed | None:
        now = self._now()
        self._completed = {name: done for name, done in self._completed.items() if done.until > now}
        return self._completed.get(token)

    def _carry_out(
        self, environ: WSGIEnvironment, start_response: StartResponse, token: str, content: bytes
    ) -> Iterable[bytes]:
        statuses: list[str] = []

        def note_status(status: str, *rest: object) -> Callable[[bytes], object]:
            statuses.append(status)
            return start_response(status, *rest)  # type: ignore[arg-type]  # handed on as they came

        response = self._application(environ, note_status)
        if statuses and statuses[-1].startswith("200"):
            self._completed[token] = _Completed(content, self._now() + _TOKEN_SECONDS)
        return response


def _transaction(body: bytes) -> tuple[str, bytes]:
    """The call's ClientRequestToken and a digest of what it writes; no token for what is no such call."""
    try:
        call = json.loads(body)
        token = call["ClientRequestToken"]
        items = json.dumps(call["TransactItems"], sort_keys=True)
    except (ValueError, KeyError, TypeError):
        return "", b""
    return str(token), hashlib.sha256(items.encode()).digest()


def _answer(start_response: StartResponse, status: str, body: bytes) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))])
    return [body]
