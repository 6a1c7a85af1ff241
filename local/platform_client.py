"""How a trading platform's backend talks to brokerlink: three routes, every request signed with SigV4.

Part of the example platform, and written to be copied: it needs botocore for the signature and requests to
send it. A real platform takes its credentials from its role
(``botocore.session.get_session().get_credentials()``) and may ``execute-api:Invoke`` these three routes and
nothing else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class BrokerlinkError(Exception):
    """brokerlink answered something else than what was asked for, or nothing (``status`` 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a login stands: ``status`` as in ``GET /attempts``, ``expires_at`` in epoch seconds."""

    status: str
    broker: str
    account: str | None = None
    expires_at: int | None = None
    error: str | None = None
    user_id: str | None = None

    @classmethod
    def of(cls, status: str, answer: Mapping[str, object]) -> Self:
        """Read an answer; a field of the wrong type counts as absent."""
        texts = {name: _text(answer, name) for name in ("account", "error", "user_id")}
        expires_at = answer.get("expires_at")
        return cls(
            status=status,
            broker=_text(answer, "broker") or "",
            expires_at=expires_at if isinstance(expires_at, int) else None,
            **texts,
        )


class BrokerlinkClient:
    """brokerlink's API for platform backends, at ``base_url``. Every method raises BrokerlinkError."""

    def __init__(self, base_url: str, credentials: Credentials, region: str, timeout: float = 35.0) -> None:
        self._base_url = base_url
        self._signature = SigV4Auth(credentials, "execute-api", region)
        self._timeout = timeout  # longer than the gateway's own 30 s

    def create_session(self, broker: str, user_id: str, account: str | None, return_to: str) -> str:
        """Prepare a login for one of the platform's users; return the URL to send their browser to."""
        wanted = {"broker": broker, "user_id": user_id, "return_to": return_to}
        if account is not None:
            wanted["account"] = account
        answer = self._call("POST", "/sessions", 201, wanted)
        start_url = _text(answer, "start_url")
        if start_url is None:
            raise BrokerlinkError(201, "the answer has no start_url")
        return start_url

    def confirm(self, attempt: str, user_id: str) -> Outcome:
        """Finish a held login for the user whom the platform sees logged in. Repeating it is harmless."""
        answer = self._call("POST", "/confirm", 200, {"attempt": attempt, "user_id": user_id})
        return Outcome.of("connected", answer)

    def attempt(self, attempt_id: str) -> Outcome:
        """Ask how a login ended."""
        answer = self._call("GET", f"/attempts/{quote(attempt_id, safe='')}", 200, None)
        return Outcome.of(_text(answer, "status") or "unknown", answer)

    def _call(self, method: str, path: str, expected: int, body: Mapping[str, str] | None) -> Mapping[str, object]:
        data = b"" if body is None else json.dumps(body).encode()
        signed = AWSRequest(method, self._base_url + path, {"content-type": "application/json"}, data)
        self._signature.add_auth(signed)
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy and no .netrc of the machine's between backend and API
                response = session.request(
                    method,
                    self._base_url + path,
                    data=data,
                    headers=dict(signed.headers),
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except requests.RequestException as problem:
            raise BrokerlinkError(0, type(problem).__name__) from None
        answer = _object(response.content)
        if response.status_code != expected:
            raise BrokerlinkError(response.status_code, _text(answer, "message") or response.reason)
        return answer


def _object(content: bytes) -> Mapping[str, object]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _text(answer: Mapping[str, object], name: str) -> str | None:
    value = answer.get(name)
    return value if isinstance(value, str) else None
