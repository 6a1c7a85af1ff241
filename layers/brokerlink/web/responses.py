"""Our answers, and the headers that every one of them carries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from brokerlink.web.style import content_security_policy

_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `cookies` are Set-Cookie values; `form_action` is the one place that the page's form may post to."""

    status: int
    body: str = field(default="", repr=False)
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Sequence[str] = field(default=(), repr=False)
    form_action: str | None = None

    def with_cookies(self, *cookies: str) -> Response:
        """Give the same answer with further cookies."""
        return replace(self, cookies=(*self.cookies, *cookies))

    def payload(self, *, secure: bool) -> dict[str, Any]:
        """Give the answer in payload format 2.0; `secure` says whether the public base URL is https."""
        headers = {
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "content-security-policy": content_security_policy(self.form_action),
            **self.headers,
        }
        if secure:
            headers["strict-transport-security"] = "max-age=31536000"
        if self.content_type is not None:
            headers["content-type"] = self.content_type
        return {
            "statusCode": self.status,
            "headers": headers,
            "cookies": list(self.cookies),
            "body": self.body,
            "isBase64Encoded": False,
        }


def page(html: str, status: int = 200, *, form_action: str | None = None) -> Response:
    """Give a page."""
    return Response(status, html, _HTML, form_action=form_action)


def json_answer(value: Mapping[str, Any], status: int = 200) -> Response:
    """Give a JSON object; what is None is left out."""
    present = {name: each for name, each in value.items() if each is not None}
    return Response(status, json.dumps(present, separators=(",", ":")), _JSON)


def redirect(location: str) -> Response:
    """Give a 303: the browser goes on with a GET, whatever it came with (RFC 9110 §15.4.4)."""
    return Response(303, headers={"location": location})
