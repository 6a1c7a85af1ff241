"""HTTP as an attacker speaks it: every byte of a request is the test's own, and every answer is looked at."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from brokerlink.web.style import content_security_policy

type Header = tuple[str, str]

_SECONDS = 30.0
_OURS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": content_security_policy(None),
}
_COOKIE = re.compile(
    r"(brokerlink=[A-Za-z0-9_-]{43}|brokerlink-links=[a-z]+\.[0-9]{10}(~[a-z]+\.[0-9]{10})*)"
    r"; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax"
)
# What the gateway answers by itself, before any function is asked.
_GATEWAY = {400, 403, 404, 413, 417, 431}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: tuple[Header, ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Give the values of a header, whose name is in lower case."""
        return [value for key, value in self.headers if key == name]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        (only,) = self.values("location")
        return only

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.location).query))

    @property
    def cookies(self) -> dict[str, str]:
        return dict(cookie.split(";")[0].split("=", 1) for cookie in self.values("set-cookie"))

    @property
    def ours(self) -> bool:
        """Whether a function gave it; the gateway gives each of those a number."""
        return bool(self.values("apigw-requestid"))


class Api:
    """The API at `host` (with its port). Of every answer the headers are checked, and that nothing broke."""

    def __init__(self, host: str) -> None:
        self.host = host

    def ask(
        self, method: str, target: str, *headers: Header, body: bytes | None = None, unavailable: bool = False
    ) -> Answer:
        """Send one request. A Host among `headers` replaces the API's own; `unavailable` expects a 503 of ours."""
        lines = [f"{method} {target} HTTP/1.1"]
        if "host" not in {name.lower() for name, _ in headers}:
            lines.append(f"Host: {self.host}")
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "Connection: close"]).encode("latin-1")
        (answer,) = self.send(head + b"\r\n\r\n" + (body or b""), unavailable=unavailable, head_only=method == "HEAD")
        return answer

    def send(
        self, sent: bytes, *, unavailable: bool = False, head_only: bool = False, cut_short: bool = False
    ) -> list[Answer]:
        """Send bytes on a connection of their own, and give all that is answered until it is closed.

        With `cut_short` it is our side that closes first.
        """
        answers = parse(talk(self.host, sent, cut_short=cut_short), head_only=head_only)
        for answer in answers:
            check(answer, unavailable=unavailable)
        return answers


def talk(address: str, sent: bytes, *, cut_short: bool = False) -> bytes:
    """Send bytes to `host:port`, and nothing more with `cut_short`; give all that comes until the other side closes."""
    host, _, port = address.partition(":")
    received = bytearray()
    with socket.create_connection((host, int(port)), timeout=_SECONDS) as connection:
        # A server that has seen enough may close before all is sent.
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
            if cut_short:
                connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65_536):
                received += piece
    return bytes(received)


def parse(received: bytes, *, head_only: bool = False) -> list[Answer]:
    """Take answers apart, each of which has a Content-Length; interim ones are left out."""
    answers = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
        length = 0 if head_only else int(dict(headers).get("content-length", 0))
        body, received = received[:length], received[length:]
        if not status.startswith("HTTP/1.1 1"):
            answers.append(Answer(int(status.split()[1]), headers, body))
    return answers


def check(answer: Answer, *, unavailable: bool = False) -> None:
    """Hold an answer against what every answer has to be, whoever asked for what."""
    assert not [name for name, _ in answer.headers if name.startswith("access-control-")], answer
    if not answer.ours:
        assert answer.status in _GATEWAY, answer
        assert not answer.values("set-cookie") + answer.values("location"), answer
        assert not answer.body or set(answer.json) == {"message"}, answer
        return
    assert {name: answer.values(name) for name in _OURS} == {name: [value] for name, value in _OURS.items()}, answer
    assert answer.status < 500 or (unavailable and answer.status == 503), answer
    assert bool(answer.values("location")) is (answer.status == 303), answer
    assert all(_COOKIE.fullmatch(cookie) for cookie in answer.values("set-cookie")), answer
    assert answer.values("content-type") in (["text/html; charset=utf-8"], ["application/json"]) or (
        answer.status == 303
    ), answer
