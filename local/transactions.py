"""What the emulator's DynamoDB lacks: isolation, and transactions that may be repeated.

moto copies a table when a transaction begins and puts the copy back when it is cancelled, with nothing to
keep other writes out in between: rows get lost and one condition can be met twice. One lock around every
DynamoDB and DynamoDB Streams call makes each of them whole.

A stream's iterator looks at the table that was there when it was given out. After a cancelled transaction that is
the one which was put away, with the writes that never took place in it: such an iterator has expired.
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
_EXPIRED = json.dumps(
    {
        "__type": "com.amazonaws.dynamodb.v20120810#ExpiredIteratorException",
        "message": "The shard iterator has expired: a transaction was cancelled since it was given out.",
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
        self._iterators: set[str] = set()

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse, operation: str, body: bytes
    ) -> Iterable[bytes]:
        """Answer one call; `operation` is its X-Amz-Target, `body` what `wsgi.input` holds."""
        with self._lock:
            match operation.rpartition(".")[2]:
                case "TransactWriteItems":
                    return self._transact(environ, start_response, body)
                case "GetRecords" if _named(body, "ShardIterator") not in self._iterators:
                    return _refuse(start_response, _EXPIRED)
                case "GetShardIterator" | "GetRecords":
                    answer = b"".join(self._application(environ, start_response))
                    self._iterators |= {_named(answer, "ShardIterator"), _named(answer, "NextShardIterator")} - {""}
                    return [answer]
            return self._application(environ, start_response)

    def _transact(self, environ: WSGIEnvironment, start_response: StartResponse, body: bytes) -> Iterable[bytes]:
        token, content = _transaction(body)
        earlier = self._completed_by(token)
        if earlier is None:
            return self._carry_out(environ, start_response, token, content)
        if earlier.content == content:
            return _answer(start_response, "200 OK", b"{}")
        return _refuse(start_response, _MISMATCH)

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
        if not statuses or not statuses[-1].startswith("200"):
            self._iterators.clear()
        elif token:
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


def _named(text: bytes, name: str) -> str:
    """A member of a JSON object; nothing where there is none."""
    try:
        return str(json.loads(text)[name])
    except (ValueError, KeyError, TypeError):
        return ""


def _refuse(start_response: StartResponse, error: bytes) -> Iterable[bytes]:
    return _answer(start_response, "400 Bad Request", error)


def _answer(start_response: StartResponse, status: str, body: bytes) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))])
    return [body]
