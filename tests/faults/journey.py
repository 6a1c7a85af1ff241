"""One customer's login, request by request; each request can be made again, as browsers do."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from brokerlink.attempts import digest
from brokerlink.errors import FAILURES
from tests.faults.scene import BASE_URL, Scene
from tests.kit.core import jwt
from tests.kit.world import RETURN_TO, Browser, Reply

CLAIM_SECONDS: Final = 40.0
_HEADINGS: Final = {
    "is connected": "connected",
    "One step left": "one step left",
    "Finishing": "waiting",
    "is not finished": "not finished",
    "We do not know this login": "unknown",
}
_WAITS: Final = " (wait)"
_CODES: Final = {failure.title: code for code, failure in FAILURES.items()}


@dataclass(frozen=True)
class Seen:
    """What a request came to: its HTTP status, where it led, and the page that a person then has before them.

    `error` is the code that it was answered with, where it was answered with one.
    """

    status: str = "none"
    leads_to: str = "none"
    page: str = "none"
    error: str = "none"


STOPPED: Final = Seen(leads_to="stopped")
NOTHING: Final = Seen()


@dataclass
class Journey:
    """A login at `broker`, direct unless the platform prepares it. With `declines`, the customer cancels it there."""

    scene: Scene
    broker: str = "pocketful"
    declines: bool = False
    browser: Browser = field(init=False)
    target: str = ""
    attempt_id: str = ""
    states: list[str] = field(default_factory=list)
    grants: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.browser = self.scene.browser()
        self.target = f"/authorize/{self.broker}"

    # the requests

    def prepare(self) -> Seen:
        """The platform prepares a session."""
        return self._platform(self.scene.prepare(self.broker))

    def start(self) -> Seen:
        """The browser opens the start URL; the broker will send it back with a new grant."""
        reply = self.scene.ask(self.browser, self.target)
        if reply is not None and reply.status == 303 and reply.location.startswith(self.scene.brokers.url):
            sent = parse_qs(urlsplit(reply.location).query)
            self.states.append((sent.get("state") or sent["State"])[0])
            self.attempt_id = digest(self.states[-1])
            number = len(self.states)
            exp = int(self.scene.clock.now) + 30
            self.grants.append(
                f"canary-code-{number}"
                if self.broker == "pocketful"
                else jwt({"exp": exp, "jti": f"canary-request-token-{number}"})
            )
        return self._seen(reply)

    def come_back(self) -> Seen:
        """The broker sends the browser back, or the browser loads that URL again."""
        grant = "code" if self.broker == "pocketful" else "RequestToken"
        answer = {"error": "access_denied"} if self.declines else {grant: self.grants[-1]}
        query = urlencode({**answer, "state": self.states[-1]})
        return self._seen(self.scene.ask(self.browser, f"/callback/{self.broker}?{query}"))

    def look(self) -> Seen:
        """The browser opens the result page."""
        return self._seen(self.scene.ask(self.browser, f"/result?attempt={self.attempt_id}"))

    def confirm(self) -> Seen:
        """The platform says who is present; the page is what the customer then sees."""
        seen = self._platform(self.scene.confirm_held(self.attempt_id))
        return seen if seen is STOPPED else replace(seen, page=self.look().page)

    def announce(self) -> Seen:
        """Lambda hands the stream's records to announce."""
        return Seen(leads_to=self.scene.deliver())

    def go_on(self) -> Seen:
        """Take the way forward that the page before the customer offers, to the broker."""
        links: list[str] = re.findall(r'href="(/authorize/[^"]*)"', self.scene.replies[-1].body)
        assert links, "a login that failed has no way forward"
        self.target = html.unescape(links[0])
        return self.start()

    # the outcome

    @property
    def row(self) -> dict[str, Any]:
        """The attempt as it is stored; empty where there is none."""
        return next((row for row in self.scene.attempts() if row["attempt_id"] == self.attempt_id), {})

    def _platform(self, reply: Reply | None) -> Seen:
        if reply is None:
            return STOPPED
        if reply.status == 201:
            self.target = str(reply.json["start_url"]).removeprefix(BASE_URL)
        return Seen(str(reply.status), "JSON", error=reply.json.get("error", "none"))

    def _seen(self, reply: Reply | None) -> Seen:
        if reply is None:
            return STOPPED
        status = str(reply.status)
        if reply.status != 303:
            page = page_of(reply)
            code = page.removesuffix(_WAITS)
            return Seen(status, "in place", page, code if code in FAILURES else "none")
        location = reply.location
        if location.startswith("/result"):
            leads_to = "waiting" if "wait=1" in location else "result"
            return Seen(status, leads_to, self._seen(self.scene.ask(self.browser, location)).page)
        if location.startswith(RETURN_TO):
            told: Mapping[str, str] = dict(parse_qsl(urlsplit(location).query))
            return Seen(status, "platform", f"told {told['status']}", told.get("error", "none"))
        return Seen(status, "broker", "broker")


def page_of(reply: Reply) -> str:
    """Tell a page by its heading."""
    heading = re.search(r"<h1>(.*?)</h1>", reply.body)
    title = html.unescape(heading[1]) if heading else ""
    if title in _CODES:
        waits = _WAITS if "asks you to wait until" in reply.body else ""
        return f"{_CODES[title]}{waits}"
    return next((name for text, name in _HEADINGS.items() if text in title), title or "none")
