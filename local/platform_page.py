"""The example platform below ``/example/``: a trading platform that connects its users' brokers through
brokerlink.

It shows the platform's side of a login. Its backend prepares a session for the user it sees logged in and
sends the browser to the start URL; when the browser comes back, it takes the URL for a hint and asks
brokerlink's API.
"""

import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from botocore.credentials import Credentials

from local import platform_html as html
from local.aws import ACCESS_KEY, REGION, SECRET_KEY
from local.http1 import Handler, Request, Response
from local.platform_client import BrokerlinkClient, BrokerlinkError, Outcome

USERS = ("asha", "ravi")
COOKIE = "example-platform"
_HEADERS = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", html.CONTENT_SECURITY_POLICY),
)
_MOST_VISITORS = 500
_ATTEMPT_ID = re.compile(r"[A-Za-z0-9_-]{43}")


class _RefusedError(Exception):
    """A request that the platform does not carry out, as a status and a sentence for its sender."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser's session with the platform: who is logged in, and the token that its forms carry."""

    id: str
    token: str
    user: str | None = None


class PlatformPage:
    """Answers what is below ``/example``; ``base_url`` is brokerlink's own, where the page lives too."""

    def __init__(self, base_url: str, client: BrokerlinkClient | None = None) -> None:
        self._return_to = f"{base_url}/example/return"
        self._brokerlink = client or BrokerlinkClient(base_url, Credentials(ACCESS_KEY, SECRET_KEY), REGION)
        self._lock = threading.Lock()
        self._visitors: dict[str, Visitor] = {}
        self._pages: dict[tuple[str, str], Handler] = {
            ("GET", ""): lambda _: _redirect("/example/"),
            ("GET", "/"): self._home,
            ("POST", "/login"): self._login,
            ("POST", "/connect"): self._connect,
            ("GET", "/return"): self._returned,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        page = self._pages.get((request.method, request.path.removeprefix("/example")))
        if page is None:
            return _page(html.notice("Not found", "There is no such page."), HTTPStatus.NOT_FOUND)
        try:
            return page(request)
        except _RefusedError as refusal:
            return _page(html.notice("Not done", refusal.sentence), refusal.status)
        except BrokerlinkError as error:
            sentence = f"brokerlink answered {error.status or 'nothing'}: {error.message}"
            # What brokerlink finds wrong with a request is what this page's own visitor filled in.
            wrong = error.status == HTTPStatus.BAD_REQUEST
            status = HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.BAD_GATEWAY
            return _page(html.notice("Not connected", sentence), status)

    def _home(self, request: Request) -> Response:
        visitor = self._visitor(request) or self._welcome(None)
        return _page(html.home(visitor.user, USERS, visitor.token), cookie=visitor.id)

    def _login(self, request: Request) -> Response:
        fields = self._own_form(request)[1]
        if fields.get("user") not in USERS:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "There is no such user.")
        # A new session id: one that somebody planted before the login must not be worth anything after it.
        return _redirect("/example/", cookie=self._welcome(fields["user"]).id)

    def _connect(self, request: Request) -> Response:
        visitor, fields = self._own_form(request)
        user = _logged_in(visitor)
        start_url = self._brokerlink.create_session(
            broker=fields.get("broker", ""),
            user_id=user,
            account=fields.get("account", "").strip() or None,
            return_to=self._return_to,
        )
        return _redirect(start_url)

    def _returned(self, request: Request) -> Response:
        user = _logged_in(self._visitor(request))
        said = _fields(request.query)
        hint: dict[str, str] = {name: said[name] for name in ("status", "broker", "attempt", "error") if name in said}
        attempt_id = hint.get("attempt", "")
        if _ATTEMPT_ID.fullmatch(attempt_id) is None:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "This is no return from a login.")
        try:
            outcome = self._truth(hint, attempt_id, user)
        except BrokerlinkError as error:
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise _RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "Not decided yet: reload this page.") from None
            if error.status == HTTPStatus.NOT_FOUND:
                sentence = f"There is no such login of {user}'s, or it is too late for it."
                raise _RefusedError(HTTPStatus.NOT_FOUND, sentence) from None
            raise
        title = "Connected" if outcome.status == "connected" else "Not connected"
        return _page(html.outcome(hint, title, _facts(user, outcome)))

    def _truth(self, hint: Mapping[str, str], attempt_id: str, user: str) -> Outcome:
        """Ask brokerlink how the login ended, whatever the URL said."""
        if hint.get("status") == "confirm":
            # Without an account in the session, only the platform can say who came back: its own session's user.
            return self._brokerlink.confirm(attempt_id, user)
        outcome = self._brokerlink.attempt(attempt_id)
        if outcome.user_id != user:
            raise _RefusedError(HTTPStatus.FORBIDDEN, f"This is not a login of {user}'s.")
        return outcome

    def _own_form(self, request: Request) -> tuple[Visitor, dict[str, str]]:
        """Return the fields of a form that the platform gave this browser; another site's is refused."""
        fields = _fields(request.body.decode("utf-8", errors="replace"))
        visitor = self._visitor(request)
        if visitor is None or not secrets.compare_digest(fields.get("token", "").encode(), visitor.token.encode()):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "This form is out of date: go back, reload, and try again.")
        return visitor, fields

    def _visitor(self, request: Request) -> Visitor | None:
        cookies = [pair.strip() for header in request.values("cookie") for pair in header.split(";")]
        ids = [pair.removeprefix(f"{COOKIE}=") for pair in cookies if pair.startswith(f"{COOKIE}=")]
        with self._lock:
            return self._visitors.get(ids[0]) if len(ids) == 1 else None

    def _welcome(self, user: str | None) -> Visitor:
        visitor = Visitor(secrets.token_urlsafe(24), secrets.token_urlsafe(24), user)
        with self._lock:
            while len(self._visitors) >= _MOST_VISITORS:
                del self._visitors[next(iter(self._visitors))]
            self._visitors[visitor.id] = visitor
        return visitor


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, max_num_fields=20))
    except ValueError:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "That is more than this page asked for.") from None


def _logged_in(visitor: Visitor | None) -> str:
    if visitor is None or visitor.user is None:
        raise _RefusedError(HTTPStatus.FORBIDDEN, "Log in to the platform first.")
    return visitor.user


def _facts(user: str, outcome: Outcome) -> dict[str, str]:
    facts = {
        "User": user,
        "Status": outcome.status,
        "Broker": html.BROKER_NAMES.get(outcome.broker, outcome.broker),
        "Account": outcome.account,
        "Until": None if outcome.expires_at is None else html.in_india(outcome.expires_at),
        "Error": outcome.error,
    }
    return {name: text for name, text in facts.items() if text is not None}


def _page(text: str, status: HTTPStatus = HTTPStatus.OK, cookie: str | None = None) -> Response:
    return Response(status, (*_HEADERS, *_cookie(cookie)), text.encode())


def _redirect(location: str, cookie: str | None = None) -> Response:
    return Response(HTTPStatus.SEE_OTHER, (("location", location), *_HEADERS, *_cookie(cookie)))


def _cookie(value: str | None) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    return (("set-cookie", f"{COOKIE}={value}; Path=/example/; HttpOnly; SameSite=Lax"),)
