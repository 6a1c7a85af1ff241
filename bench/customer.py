"""One customer's login, from the platform's link to the outcome, with a stopwatch on what is ours."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from botocore.credentials import Credentials

from bench.plan import ACCOUNTS, Planned, Way
from local.aws import ACCESS_KEY, REGION, SECRET_KEY
from local.platform_client import BrokerlinkClient, BrokerlinkError

_SECONDS = 40.0
_WAITS, _PAUSE = 60, 0.25


class Surprise(Exception):
    """Something answered otherwise than it must."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What became of one login.

    `start` and `callback` are seconds until our answer; `login` is all of it, from the link to the outcome, with the
    broker's pages in between. `late` is how much later than planned it began, `ended` the seconds from the beginning
    of the burst to its end.
    """

    planned: Planned
    outcome: str = ""
    attempt_id: str = ""
    start: float = 0.0
    callback: float = 0.0
    login: float = 0.0
    late: float = 0.0
    ended: float = 0.0
    surprise: str = ""


class _Form(HTMLParser):
    """The broker's form: where it goes, its fields as they are filled in, and its buttons in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self.action = found.get("action", "")
            case "input":
                self.fields[found["name"]] = found.get("value", "")
            case "button":
                self.buttons.append((found["name"], found["value"]))


def new_browser() -> requests.Session:
    """Give an HTTP client that knows no proxy of this machine: everything is on loopback."""
    browser = requests.Session()
    browser.trust_env = False
    return browser


class Customer:
    """A browser, and the platform's backend behind it."""

    def __init__(self, base_url: str, planned: Planned) -> None:
        self._base_url = base_url
        self._planned = planned

    def log_in(self, late: float) -> Walked:
        """Go the whole way; what goes wrong is told in the result."""
        with new_browser() as browser:
            try:
                return self._log_in(browser, late)
            except (Surprise, BrokerlinkError, requests.RequestException) as problem:
                return Walked(self._planned, late=late, surprise=f"{type(problem).__name__}: {problem}")

    def _log_in(self, browser: requests.Session, late: float) -> Walked:
        planned = self._planned
        platform = BrokerlinkClient(self._base_url, Credentials(ACCESS_KEY, SECRET_KEY), REGION)
        return_to = f"{self._base_url}/example/return"
        start_url = platform.create_session(planned.broker, planned.user_id, ACCOUNTS[planned.broker], return_to)
        opened = time.perf_counter()
        if planned.way is Way.DOUBLE_CLICK:
            self._follow(browser, start_url)
        began = time.perf_counter()
        at_broker = self._follow(browser, start_url)
        start = time.perf_counter() - began
        callback_url = self._press(browser, at_broker, button=1 if planned.way is Way.DECLINED else 0)
        if planned.way is Way.FORGED:
            self._forge(callback_url)
        began = time.perf_counter()
        end = self._come_back(browser, callback_url)
        callback = time.perf_counter() - began
        attempt_id, outcome = self._outcome(browser, end)
        return Walked(planned, outcome, attempt_id, start, callback, time.perf_counter() - opened, late)

    def _follow(self, browser: requests.Session, url: str) -> str:
        reply = browser.get(url, timeout=_SECONDS, allow_redirects=False)
        if reply.status_code not in {302, 303}:
            raise Surprise(f"{urlsplit(url).path} answered {reply.status_code}")
        return urljoin(url, reply.headers["location"])

    def _press(self, browser: requests.Session, url: str, *, button: int) -> str:
        page = browser.get(url, timeout=_SECONDS)
        form = _Form(page.text)
        if not form.buttons:
            raise Surprise(f"the broker's page has no form ({page.status_code})")
        data = form.fields | dict([form.buttons[button]])
        reply = browser.post(urljoin(page.url, form.action), data, timeout=_SECONDS, allow_redirects=False)
        if reply.status_code not in {302, 303}:
            raise Surprise(f"the broker's form answered {reply.status_code}")
        return reply.headers["location"]

    def _forge(self, callback_url: str) -> None:
        """Send the customer's callback from another browser, before the customer does."""
        cookie = {"brokerlink": secrets.token_urlsafe(32)}
        with new_browser() as stranger:
            reply = stranger.get(callback_url, cookies=cookie, timeout=_SECONDS, allow_redirects=False)
        if not reply.headers.get("location", "").endswith("/result?error=wrong_browser"):
            raise Surprise(f"a forged callback was answered {reply.status_code} {reply.headers.get('location')}")

    def _come_back(self, browser: requests.Session, callback_url: str) -> str:
        if self._planned.way is not Way.DOUBLE_CLICK:
            return self._follow(browser, callback_url)
        with ThreadPoolExecutor(2) as clicks:
            first, second = clicks.map(lambda _: self._follow(browser, callback_url), range(2))
        if _attempt(first) != _attempt(second):
            raise Surprise("two clicks ended in two attempts")
        return first

    def _outcome(self, browser: requests.Session, end: str) -> tuple[str, str]:
        attempt_id = _attempt(end)
        result = f"{self._base_url}/result?attempt={attempt_id}"
        for _ in range(_WAITS):
            told = browser.get(result, headers={"accept": "application/json"}, timeout=_SECONDS).json()
            if told["status"] != "in_progress":
                return attempt_id, told["status"] + (f" ({told['error']})" if told.get("error") else "")
            time.sleep(_PAUSE)
        raise Surprise("a login does not come to an end")


def _attempt(url: str) -> str:
    named = parse_qs(urlsplit(url).query).get("attempt")
    if not named:
        raise Surprise(f"the callback ended at {urlsplit(url).path}?{urlsplit(url).query}")
    return named[0]
