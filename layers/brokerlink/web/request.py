"""A browser's or a backend's request, from an HTTP API event of payload format 2.0."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from brokerlink.errors import BrokerlinkError

# A host name with or without a port: what a URL of ours can begin with.
_HOST: Final = re.compile(r"[a-z0-9._-]*(:[0-9]*)?")


class BadRequest(BrokerlinkError):
    """The request is malformed; the text says how, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """One request. `headers` has lower-case names; `query` and `cookies` are as they were sent, `path` is decoded."""

    route: str
    method: str
    path: str = field(repr=False)
    host: str
    stage: str
    headers: Mapping[str, str] = field(repr=False)
    query: str = field(repr=False)
    cookies: tuple[str, ...] = field(repr=False)
    path_parameters: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> WebRequest:
        """Read an event. Raises `BadRequest` where it has not the shape of payload format 2.0."""
        with suppress(KeyError, TypeError, AttributeError, ValueError):
            context = event["requestContext"]
            stage, body = _text(context["stage"]), _text(event.get("body") or "")
            return cls(
                route=_text(event["routeKey"]),
                method=_text(context["http"]["method"]),
                path=_without_stage(_text(event["rawPath"]), stage),
                host=_host(context["domainName"]),
                stage=stage,
                headers={name.lower(): value for name, value in _texts(event.get("headers") or {}).items()},
                query=_text(event.get("rawQueryString") or ""),
                cookies=tuple(_text(cookie) for cookie in event.get("cookies") or ()),
                path_parameters=_texts(event.get("pathParameters") or {}),
                body=base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode(),
            )
        # Not in a handler: what was raised there quotes the event, and would hang on ours as its context.
        raise BadRequest("not an HTTP API event of payload format 2.0")

    @property
    def is_prefetch(self) -> bool:
        """Say whether the browser only guesses that its user will come here."""
        return any("prefetch" in self._header(name) for name in ("sec-purpose", "purpose"))

    @property
    def is_cross_site(self) -> bool:
        """Say whether another site's page made the browser come here (Fetch Metadata)."""
        return self.headers.get("sec-fetch-site") == "cross-site"

    @property
    def may_read_json(self) -> bool:
        """Say whether the page that asks, if it is one, is our own."""
        return self.headers.get("sec-fetch-site", "none") in {"same-origin", "none"}

    @property
    def wants_json(self) -> bool:
        """Say whether JSON is asked for; a browser that navigates asks for HTML."""
        accept = self._header("accept")
        return "application/json" in accept and "text/html" not in accept

    @property
    def content_type(self) -> str:
        """Give the body's media type without parameters, in lower case."""
        return self._header("content-type").split(";")[0].strip()

    def base_url(self, configured: str | None) -> str:
        """Give the public base URL: the configured one, else the gateway's own domain and stage."""
        if configured is not None:
            return configured
        return f"https://{self.host}" + ("" if self.stage == "$default" else f"/{self.stage}")

    def is_elsewhere(self, base_url: str) -> bool:
        """Say whether the request came to another host than the base URL's."""
        default_port = ":443" if base_url.startswith("https:") else ":80"
        return self.host.removesuffix(default_port) != urlsplit(base_url).netloc.lower().removesuffix(default_port)

    def _header(self, name: str) -> str:
        return self.headers.get(name, "").lower()

    def parameters(self) -> dict[str, str]:
        """Give the query's parameters. Raises `BadRequest`."""
        return single(decode_form(self.query))


def decode_form(text: str) -> list[tuple[str, str]]:
    """Decode application/x-www-form-urlencoded, once, with `+` as a space. Raises `BadRequest` for invalid UTF-8."""
    pairs = [part.partition("=") for part in text.split("&") if part]
    return [(_decode(name), _decode(value)) for name, _, value in pairs]


def single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Give the parameters by name. Raises `BadRequest` for a repeated one (RFC 6749 §3.1)."""
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise BadRequest("a parameter is repeated")
    return parameters


def _text(value: object) -> str:
    """Give a text of the event. Raises `TypeError`; `ValueError` for half a surrogate pair, which no answer takes."""
    if not isinstance(value, str):
        raise TypeError
    value.encode()
    return value


def _texts(values: Mapping[object, object]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in values.items()}


def _host(value: object) -> str:
    host = _text(value).lower()
    if not _HOST.fullmatch(host):
        raise ValueError
    return host


def _without_stage(path: str, stage: str) -> str:
    """Give the path below the stage: one other than the default stands before it (API Gateway, payload format 2.0)."""
    return path.removeprefix(f"/{stage}") if (path + "/").startswith(f"/{stage}/") else path


def _decode(text: str) -> str:
    with suppress(UnicodeError):
        return unquote_to_bytes(text.replace("+", " ")).decode()
    # Not in a handler: the codec's error carries the parameter.
    raise BadRequest("a parameter is not UTF-8")
