"""The requests of a callback without the callback: raw HTTP over connections that are kept alive."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlencode, urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from bench.artifact.logins import Event, Unexpected
from brokerlink.attempts import digest
from local.emulator import Engine
from local.simulators import RunningSimulators
from local.simulators.recorder import RecordedRequest

_CALLS: Final = ("UpdateItem", "Encrypt", "TransactWriteItems")
_SECONDS = 30.0


class Tap:
    """An engine that keeps the last request of each operation, with its headers."""

    def __init__(self, engine: Engine) -> None:
        self.account = engine.account
        self.last: dict[str, tuple[dict[str, str], str]] = {}
        self._engine = engine

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(body)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        self.last[target.rpartition(".")[2]] = (
            {
                "Authorization": environ.get("HTTP_AUTHORIZATION", ""),
                "Content-Type": environ.get("CONTENT_TYPE", ""),
                "X-Amz-Target": target,
            },
            body.decode(),
        )
        return self._engine(environ, start_response)


class RawCallback:
    """Sends what a callback sent, for another login. Use it in a `with` statement."""

    def __init__(self, tap: Tap, aws_url: str, simulators: RunningSimulators) -> None:
        """Take the last callback's requests as samples."""
        self._aws = http.client.HTTPConnection(urlsplit(aws_url).netloc, timeout=_SECONDS)
        self._broker = http.client.HTTPConnection(urlsplit(simulators.url).netloc, timeout=_SECONDS)
        self._calls = {name: tap.last[name] for name in _CALLS}
        self._token, self._identity = (
            simulators.recorder.requests("pocketful", endpoint)[-1] for endpoint in ("token", "identity")
        )
        claim, commit = (json.loads(self._calls[name][1]) for name in ("UpdateItem", "TransactWriteItems"))
        (row,) = (write["Put"]["Item"] for write in commit["TransactItems"] if "Put" in write)
        self._samples = {
            "attempt": claim["Key"]["attempt_id"]["S"],
            "claim": commit["ClientRequestToken"],
            "ciphertext": row["ciphertext"]["B"],
            "issued_at_ms": row["issued_at_ms"]["N"],
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._aws.close()
        self._broker.close()

    def finish(self, event: Event) -> float:
        """Finish the login of a callback's event; give the seconds that it took. Raises `Unexpected`."""
        code, state = (event["queryStringParameters"][name] for name in ("code", "state"))
        now = {
            "attempt": digest(state),
            "claim": secrets.token_hex(16),
            "issued_at_ms": str(time.time_ns() // 1_000_000),
        }
        began = time.perf_counter()
        claimed = self._call("UpdateItem", now)
        verifier = claimed["Attributes"]["code_verifier"]["S"]
        form = {name: values[0] for name, values in parse_qs(self._token.body).items()}
        body = urlencode({**form, "code": code, "code_verifier": verifier})
        token = self._ask("/pocketful/oauth2/token", self._token, {}, body)["access_token"]
        self._ask("/pocketful/api/v1/user/trading_info", self._identity, {"Authorization": f"Bearer {token}"}, None)
        now["ciphertext"] = self._call("Encrypt", now)["CiphertextBlob"]
        self._call("TransactWriteItems", now)
        return time.perf_counter() - began

    def _call(self, name: str, now: Mapping[str, str]) -> dict[str, Any]:
        headers, body = self._calls[name]
        for sample, value in now.items():
            body = body.replace(self._samples[sample], value)
        return _exchange(self._aws, "POST", "/", headers, body)

    def _ask(self, path: str, sample: RecordedRequest, own: Mapping[str, str], body: str | None) -> dict[str, Any]:
        headers = {name: value for name, value in sample.headers.items() if name not in {"Host", "Content-Length"}}
        return _exchange(self._broker, sample.method, path, {**headers, **own}, body)


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: str | None
) -> dict[str, Any]:
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise Unexpected(f"{path} {headers.get('X-Amz-Target', '')} answered {response.status}: {answer!r}")
    read: dict[str, Any] = json.loads(answer)
    return read
