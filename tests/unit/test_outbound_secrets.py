"""Canaries in every part of a request and its answer, and every place where one could come to light."""

import gzip
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator

import pytest

from brokerlink.outbound import Answer, NotJson, NotSent, Outbound, OutboundError, Request, parse_json
from brokerlink.outbound.opening import AddressInfo
from tests.kit.imports import LAYERS
from tests.unit.outbound_server import Peer, Script, Server, answer, answering, get, saying

CANARY = "canary-5d1f"


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that a logger could write of an exception and of those that led to it."""
    pending: list[BaseException | None] = [error]
    seen: list[BaseException] = []
    while pending:
        if (found := pending.pop()) is None or found in seen:
            continue
        seen.append(found)
        yield f"{found} {found!r} {found.args!r} {vars(found)!r}"
        pending += [found.__cause__, found.__context__]
    yield "".join(traceback.format_exception(error))


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.hang()


def reset(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


HEADER = f"X-Token: {CANARY}"
SECRET = f'{{"access_token": "{CANARY}"'.encode()
SCRIPTS: dict[str, Script] = {
    "silent": silent,
    "reset": reset,
    "closed": saying(b""),
    "truncated": saying(answer(SECRET, HEADER, length=1000)),
    "status line": answering(f"HTTP/1.1 {CANARY}\r\n\r\n".encode()),
    "not HTTP": answering(f"{CANARY}\r\n\r\n".encode()),
    "chunk": answering(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CANARY}\r\n".encode()),
    "lengths": answering(f"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n{HEADER}\r\n\r\n".encode()),
    "header": answering(answer(b"{}", f"{CANARY}")),
    "coding": answering(answer(SECRET, HEADER, f"Content-Encoding: {CANARY}")),
    "gzip": answering(answer(gzip.compress(SECRET)[:-4], HEADER, "Content-Encoding: gzip")),
    "oversized": answering(answer(SECRET * 5000, HEADER)),
    "redirect": answering(answer(b"", f"Location: https://{CANARY}/", status="302 Found")),
    "cookie": answering(answer(b"", f"Set-Cookie: {CANARY}={CANARY}; Expires=never; Max-Age={CANARY}")),
}


def canaried(url: str) -> Request:
    return Request("POST", f"{url}?code={CANARY}", {"Authorization": f"Basic {CANARY}"}, f"code={CANARY}".encode())


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Every line that reaches the root logger at its lowest level."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{self.format(record)} {vars(record)!r}")

    root = logging.getLogger()
    level, handler = root.level, Collector(level=0)
    root.addHandler(handler)
    root.setLevel(1)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_comes_to_light(name: str, log: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    outbound = Outbound()
    texts: list[str] = []
    with Server(SCRIPTS[name]) as server:
        request = canaried(server.url())
        texts.append(repr(request))
        try:
            got = outbound.send(request, deadline=outbound._monotonic() + 0.3, fresh=True)
            texts.append(repr(got))
        except OutboundError as error:
            texts += texts_of(error)
    out, err = capfd.readouterr()
    texts += [*log, out, err]
    assert not [text for text in texts if CANARY in text]


# In a process of its own: a stack that other tests have left running would print its calls too.
DEBUGGING = """
import http.client, sys
from tests.unit.test_outbound_secrets import Outbound, canaried
http.client.HTTPConnection.debuglevel = 1
outbound = Outbound()
outbound.send(canaried(sys.argv[1]), deadline=outbound._monotonic() + 30, fresh=True)
"""


def test_debugging_of_http_client_prints_nothing() -> None:
    with Server(answering(answer(SECRET, HEADER))) as server:
        done = subprocess.run(  # noqa: S603 - a command made of our own text
            [sys.executable, "-c", DEBUGGING, server.url()],
            env={"PYTHONPATH": os.pathsep.join((str(LAYERS), str(LAYERS.parent)))},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert server.connections == 1


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", f"http://[{CANARY}", {}),
        Request("GET", f"nowhere://{CANARY}/?{CANARY}", {}),
        Request("GET", f"{CANARY}", {}),
        Request("GET", f"http://x:{CANARY}/?code={CANARY}", {}),
        Request("GET", "http://127.0.0.1:9/", {"Authorization": f" {CANARY}"}),
        Request("GET", "http://127.0.0.1:9/", {"Authorization": f"{CANARY}\r\nX: y"}),
        Request("GET", "http://127.0.0.1:9/", {"Authorization": f"{CANARY}\N{SNOWMAN}"}),
        Request(f"G{CANARY} \n", "http://127.0.0.1:9/", {}),
        Request("GET", f"http://127.0.0.1:9/?a={CANARY}\x00 \n", {}),
    ],
)
def test_request_that_cannot_be_sent_is_not_quoted(request_: Request, log: list[str]) -> None:
    outbound = Outbound()
    with pytest.raises(NotSent) as caught:
        outbound.send(request_, deadline=outbound._monotonic() + 1, fresh=True)
    assert not [text for text in [*texts_of(caught.value), *log] if CANARY in text]


def test_refused_connection_is_reported_without_the_request(log: list[str]) -> None:
    outbound = Outbound(resolve=lambda *_: [])
    with pytest.raises(NotSent) as caught:
        outbound.send(canaried("https://broker.example/"), deadline=outbound._monotonic() + 1, fresh=True)
    assert not [text for text in [*texts_of(caught.value), *log] if CANARY in text]


def test_no_thread_reports_a_failure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reports.append)
    outbound = Outbound(resolve=_failing)
    with pytest.raises(NotSent):
        get(outbound, "http://broker.example/")
    assert reports == []


def _failing(*_: object) -> list[AddressInfo]:
    raise OSError


@pytest.mark.parametrize(
    "body",
    [
        f'"{CANARY}'.encode(),
        f'{{"{CANARY}": 1, "{CANARY}": 2}}'.encode(),
        f'["{CANARY}", NaN]'.encode(),
        f'["{CANARY}\\ud800"]'.encode(),
        f'["{CANARY}"'.encode() + b"\xff",
        f'["{CANARY}", {"9" * 5000}]'.encode(),
        f'["{CANARY}", {"[" * 60_000}'.encode(),
    ],
)
def test_body_that_is_not_json_is_not_quoted(body: bytes) -> None:
    with pytest.raises(NotJson) as caught:
        parse_json(body)
    assert not [text for text in texts_of(caught.value) if CANARY in text]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            Request(
                "POST",
                f"https://u:{CANARY}@broker.example:8443/token?code={CANARY}#{CANARY}",
                {CANARY: CANARY},
                CANARY.encode(),
            ),
            "Request(POST https://broker.example:8443/token)",
        ),
        (Request("GET", f"http://[{CANARY}", {}), "Request(GET (malformed URL))"),
        (Answer(200, {CANARY: CANARY}, CANARY.encode()), f"Answer(200, {len(CANARY)} bytes)"),
    ],
)
def test_representation_of_values(value: object, text: str) -> None:
    assert repr(value) == str(value) == f"{value}" == text
