"""A customer's browser for the tests: follows redirects, and submits the broker's form as it is filled in."""

from html.parser import HTMLParser
from typing import override
from urllib.parse import parse_qs, urljoin, urlsplit

import requests


class _FirstForm(HTMLParser):
    """The page's first form: where it goes, and what its first submit button sends."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.method = "get"
        self.fields: dict[str, str] = {}
        self._inside = self._submitted = self._seen = False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self._seen:
            self._inside = self._seen = True
            self.action, self.method = given.get("action", ""), given.get("method", "get")
        elif self._inside and tag == "input":
            self.fields[given.get("name", "")] = given.get("value", "")
        elif self._inside and tag == "button" and not self._submitted:
            self._submitted = True
            self.fields[given.get("name", "")] = given.get("value", "")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


class Browser:
    """One browser with its cookies."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False

    def log_in(self, broker: str) -> str:
        """Log the demo customer in at the broker; return the attempt's id. Raises AssertionError otherwise."""
        with self._session:
            page = self._session.get(f"{self._base_url}/authorize/{broker}", timeout=30)
            form = _FirstForm()
            form.feed(page.text)
            fields = {name: value for name, value in form.fields.items() if name}
            action = urljoin(page.url, form.action)
            page = self._session.request(form.method, action, data=fields, timeout=60)
            assert "connected" in page.text, page.text
            return parse_qs(urlsplit(page.url).query)["attempt"][0]
