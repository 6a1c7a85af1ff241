"""Events for the functions to run: a login needs a new attempt, and a customer who logs in at the broker."""

from __future__ import annotations

import html
import json
import re
import secrets
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

from bench.artifact.process import Process
from bench.artifact.world import BASE_URL
from local.stack import PROJECT

_EVENTS = PROJECT / "events"
_SECONDS = 30.0

type Event = dict[str, Any]


class Unexpected(Exception):
    """A function or a simulator answered otherwise than it must: what follows would not measure a login."""


class Logins:
    """Gives events. `starter` is an authorize function, with which the logins begin whose callbacks are to be run."""

    def __init__(self, starter: Process) -> None:
        self._starter = starter
        self._browser = requests.Session()
        self._browser.trust_env = False
        self._key = secrets.token_urlsafe(32)

    def close(self) -> None:
        """Close the connections to the simulators."""
        self._browser.close()

    def start(self) -> Event:
        """Give the event of a login's start."""
        return self._event("authorize-direct.json", "")

    def callback(self) -> Event:
        """Begin a login, have the customer log in at the broker, and give the event of the callback."""
        _, response = self._starter.invoke(self.start())
        event = self._event("callback-pocketful.json", self._log_in(location(response)))
        event["cookies"] += [cookie.partition(";")[0] for cookie in cookies(response)]
        return event

    def stream(self) -> Event:
        """Give a batch of the Tokens table's stream, with one record."""
        return _sample("announce-insert.json")

    def _event(self, name: str, query: str) -> Event:
        event, host = _sample(name), urlsplit(BASE_URL).netloc
        event["rawQueryString"] = query
        event["queryStringParameters"] = dict(parse_qsl(query))
        event["cookies"] = [f"brokerlink={self._key}"]
        event["headers"]["host"] = event["requestContext"]["domainName"] = host
        return event

    def _log_in(self, url: str) -> str:
        """Press the first button on the broker's page; give the query with which the browser is sent back."""
        page = self._browser.get(url, timeout=_SECONDS)
        form = re.search(r'<form [^>]*action="([^"]*)"', page.text)
        fields = re.findall(r'<input [^>]*name="([^"]+)"[^>]* value="([^"]*)"', page.text)
        button = re.search(r'<button [^>]*name="([^"]+)"[^>]* value="([^"]*)"', page.text)
        if form is None or button is None:
            raise Unexpected(f"the broker's page has no form ({page.status_code})")
        data = {name: html.unescape(value) for name, value in (*fields, button.groups())}
        action = urljoin(page.url, html.unescape(form[1]))
        reply = self._browser.post(action, data, timeout=_SECONDS, allow_redirects=False)
        return urlsplit(reply.headers.get("location", "")).query


def location(response: object) -> str:
    """Give where a response of payload format 2.0 redirects to. Raises `Unexpected`."""
    match response:
        case {"statusCode": 302 | 303, "headers": dict(headers)}:
            return str({name.lower(): value for name, value in headers.items()}["location"])
    raise Unexpected(f"not a redirect: {response}")


def cookies(response: object) -> list[str]:
    """Give the cookies that a response sets."""
    return list(response.get("cookies", [])) if isinstance(response, Mapping) else []


def check_started(response: object) -> None:
    """Make sure that a login began. Raises `Unexpected`."""
    if "/oauth2/auth?" not in location(response):
        raise Unexpected("the login did not begin")


def check_connected(response: object) -> None:
    """Make sure that a login was finished. Raises `Unexpected`."""
    if not any(cookie.startswith("brokerlink-links=pocketful") for cookie in cookies(response)):
        raise Unexpected(f"not connected: {location(response)}")


def check_finished(response: object) -> None:
    """Make sure that a login of the others was finished. Raises `Unexpected`."""
    if not location(response).startswith("/result"):
        raise Unexpected(f"not finished: {response}")


def check_announced(response: object) -> None:
    """Make sure that no record has to come again. Raises `Unexpected`."""
    if response != {"batchItemFailures": []}:
        raise Unexpected(f"not announced: {response}")


def _sample(name: str) -> Event:
    if name not in _SAMPLES:
        _SAMPLES[name] = json.loads(Path(_EVENTS, name).read_text(encoding="utf-8"))
    return deepcopy(_SAMPLES[name])


_SAMPLES: dict[str, Event] = {}
