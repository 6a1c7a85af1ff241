"""Walks through a simulator's login page as a browser without JavaScript does."""

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

# One client for all tests, since each builds a TLS context of its own; it keeps no connection open.
http = httpx.Client(timeout=10, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class LoginForm:
    """The page's one form: where it posts to, its fields as filled in, and its submit buttons in order."""

    action: str
    fields: dict[str, str]
    buttons: tuple[tuple[str, str], ...]


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = attributes.get("action", "")
        elif tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")
        elif tag == "button":
            self.buttons.append((attributes["name"], attributes["value"]))


def read_form(page: httpx.Response) -> LoginForm:
    """The form on a page. Raises `AssertionError` if there is none."""
    parser = _FormParser()
    parser.feed(page.text)
    assert parser.action is not None, f"no form in the {page.status_code} answer"
    return LoginForm(urljoin(str(page.url), parser.action), parser.fields, tuple(parser.buttons))


def submit(page: httpx.Response, action: Literal["login", "decline"] = "login", **fields: str) -> httpx.Response:
    """Presses the first or the second button, with some of the fields typed anew; follows no redirect."""
    form = read_form(page)
    name, value = form.buttons[0 if action == "login" else 1]
    return http.post(form.action, data={**form.fields, **fields, name: value})


def log_in(authorization_url: str, action: Literal["login", "decline"] = "login", **fields: str) -> httpx.Response:
    """From the authorization URL to the redirect back to the app, which is not followed."""
    return submit(http.get(authorization_url), action, **fields)


def callback_parameters(response: httpx.Response) -> dict[str, str]:
    """The query of a redirect's target."""
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query, keep_blank_values=True))
