"""A browser without a screen, and an answer as it gets it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from brokerlink.outbound import Answer

if TYPE_CHECKING:  # the world makes browsers
    from tests.kit.world import World


@dataclass
class Reply:
    """An answer in payload format 2.0, as a test reads it."""

    payload: dict[str, Any]

    @property
    def status(self) -> int:
        return int(self.payload["statusCode"])

    @property
    def body(self) -> str:
        return str(self.payload["body"])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return str(self.payload["headers"]["location"])

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.location).query))

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.payload["headers"])

    @property
    def cookies(self) -> dict[str, str]:
        return dict(cookie.split(";")[0].split("=", 1) for cookie in self.payload["cookies"])


@dataclass
class Browser:
    """A browser: keeps its cookies and walks where it is sent."""

    world: World
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, target: str, **headers: str) -> Reply:
        return self.request("GET", target, headers=headers)

    def request(self, method: str, target: str, *, headers: Mapping[str, str] = {}, body: str | None = None) -> Reply:
        cookies = [f"{name}={value}" for name, value in self.cookies.items()]
        reply = self.world.request(method, target, headers=headers, cookies=cookies, body=body)
        self.cookies |= reply.cookies
        return reply

    def start(self, broker: str = "pocketful", **query: str) -> str:
        """Begin a login and give the state that was sent to the broker."""
        reply = self.get(
            f"/authorize/{broker}" + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")
        )
        assert reply.status == 303, reply.body
        sent = parse_qs(urlsplit(reply.location).query)
        return sent["State" if broker == "fivepaisa" else "state"][0]

    def come_back(self, state: str, *answers: Answer | Exception, **parameters: str) -> Reply:
        """Come back from Pocketful, with a code unless other parameters are given; `answers` are what it says then."""
        self.world.http.script = list(answers)
        return self.get(f"/callback/pocketful?{urlencode({**(parameters or {'code': 'canary-code'}), 'state': state})}")
