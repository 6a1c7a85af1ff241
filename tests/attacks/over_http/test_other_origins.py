"""Web pages that reach for what listens on loopback: the emulator, the simulators' controls, the example platform."""

from __future__ import annotations

import pytest

from tests.attacks.over_http.scene import ACCOUNT, MASKED, Scene
from tests.attacks.over_http.wire import Answer, Header, parse, talk

# What a browser adds to a request that some page asked for, or that came through a name rebound to loopback.
PAGES: dict[str, list[Header]] = {
    "another origin": [("Origin", "https://evil.example")],
    "an opaque origin": [("Origin", "null")],
    "an empty origin": [("Origin", "")],
    "our own origin": [("Origin", "http://{host}")],
    "cross-site": [("Sec-Fetch-Site", "cross-site")],
    "same-site": [("Sec-Fetch-Site", "same-site")],
    "same-origin": [("Sec-Fetch-Site", "same-origin")],
    "typed into the address bar": [("Sec-Fetch-Site", "none")],
    "in another case": [("oRiGiN", "https://evil.example")],
    "a rebound name": [("Host", "evil.example")],
    "a rebound name with the port": [("Host", "evil.example:{port}")],
    "a name that begins like ours": [("Host", "127.0.0.1.evil.example:{port}")],
    "a name that ends like ours": [("Host", "evil-localhost:{port}")],
    "without the port": [("Host", "127.0.0.1")],
    "another port": [("Host", "127.0.0.1:1")],
    "all addresses": [("Host", "0.0.0.0:{port}")],
    "IPv6": [("Host", "[::1]:{port}")],
    "a number": [("Host", "2130706433:{port}")],
    "a dot at the end": [("Host", "localhost.:{port}")],
    "two hosts": [("Host", "127.0.0.1:{port}"), ("Host", "evil.example")],
    "no host": [],
}
DOORS = {
    "the emulator": ("aws_url", "/"),
    "the emulator's secrets": ("aws_url", "/moto-api/data.json"),
    "the simulators' requests": ("brokers_url", "/simulator/requests"),
    "the simulators' faults": ("brokers_url", "/simulator/faults"),
    "the simulators' requests, encoded": ("brokers_url", "/simulator/%72equests"),
    "the simulators' requests, with a slash more": ("brokers_url", "//simulator/requests"),
}


def knock(scene: Scene, door: str, headers: list[Header], *, method: str = "GET", body: str = "") -> Answer:
    """Ask one of the stack's other ports."""
    server, path = DOORS[door]
    port = str(getattr(scene.stack, server)).rpartition(":")[2]
    lines = [f"{name}: {value.format(host=f'127.0.0.1:{port}', port=port)}" for name, value in headers]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, f"Content-Length: {len(body)}", "Connection: close"])
    (answer,) = parse(talk(f"127.0.0.1:{port}", f"{head}\r\n\r\n{body}".encode()))
    return answer


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("door", DOORS)
def test_web_page_gets_nothing_from_emulator_or_simulators(scene: Scene, door: str, page: str) -> None:
    headers = PAGES[page]
    if page != "no host" and "Host" not in dict(headers):
        headers = [("Host", "127.0.0.1:{port}"), *headers]
    answer = knock(scene, door, headers)
    assert answer.status in ({403, 404} if "slash more" in door else {400, 403})
    assert not [name for name, _ in answer.headers if name.startswith("access-control-")]
    assert b"client_secret" not in answer.body


def test_doors_are_open_to_a_terminal(scene: Scene) -> None:
    for name in ("127.0.0.1", "localhost"):
        assert knock(scene, "the simulators' requests", [("Host", f"{name}:{{port}}")]).status == 200


@pytest.mark.parametrize("headers", [[], [("Origin", "https://evil.example")]], ids=["no origin", "origin"])
def test_page_cannot_make_a_simulator_fail(scene: Scene, headers: list[Header]) -> None:
    """Without preflight a page may send a POST with a text: the simulator wants neither."""
    fault = '{"broker": "pocketful", "endpoint": "token", "fault": "status:500", "times": 1}'
    told = [("Host", "127.0.0.1:{port}"), ("Content-Type", "text/plain"), ("Sec-Fetch-Site", "cross-site"), *headers]
    assert knock(scene, "the simulators' faults", told, method="POST", body=fault).status == 403
    login = scene.browser().login()
    login.finish()
    assert login.outcome()["status"] == "connected"


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "TRACE", "HEAD"])
def test_preflight_at_the_emulator_is_refused(scene: Scene, method: str) -> None:
    headers = [
        ("Host", "127.0.0.1:{port}"),
        ("Origin", "https://evil.example"),
        ("Access-Control-Request-Headers", "x-amz-target"),
    ]
    answer = knock(scene, "the emulator", headers, method=method)
    assert answer.status in {403, 405}
    assert not answer.values("access-control-allow-origin")


def test_emulator_called_by_a_page_with_a_target_gives_no_secret(scene: Scene) -> None:
    body = '{"SecretId": "x"}'
    headers = [
        ("Host", "127.0.0.1:{port}"),
        ("Origin", "https://evil.example"),
        ("X-Amz-Target", "secretsmanager.ListSecrets"),
        ("Content-Type", "application/x-amz-json-1.1"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/ap-south-1/secretsmanager/aws4_request"),
    ]
    answer = knock(scene, "the emulator", headers, method="POST", body=body)
    assert (answer.status, b"SecretList" in answer.body) == (403, False)


def test_form_of_another_site_makes_the_example_platform_connect_nobody(scene: Scene) -> None:
    made = scene.rows_made
    for body in (b"broker=pocketful&account=YA0002", b"broker=pocketful&token=", b"token=x&broker=pocketful"):
        head = (
            f"POST /example/connect HTTP/1.1\r\nHost: {scene.api.host}\r\nOrigin: https://evil.example\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        (answer,) = parse(talk(scene.api.host, head.encode() + body))
        assert answer.status == 403
    assert scene.rows_made == made


def test_forged_return_to_the_example_platform_shows_nobody_a_login(scene: Scene) -> None:
    login = scene.browser().login()
    login.finish()
    for query in (f"status=connected&broker=pocketful&attempt={login.attempt_id}", "status=connected&attempt=x"):
        head = f"GET /example/return?{query} HTTP/1.1\r\nHost: {scene.api.host}\r\nConnection: close\r\n\r\n"
        (answer,) = parse(talk(scene.api.host, head.encode()))
        assert answer.status == 403
        assert not [shown for shown in (ACCOUNT, MASKED) if shown in answer.text]
