"""Starts and callbacks that try to send the browser, or what it carries, somewhere else."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.attacks.over_http.scene import ACCOUNT, Login, Scene
from tests.attacks.over_http.wire import Header

# `{ours}` is the one prefix below which a login may end, `{host}` its host and port.
ELSEWHERE = [
    "",
    "/",
    "/example/return",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/ /evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/%00/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:evil.example",
    "http:\\\\evil.example",
    "https://evil.example/",
    "ftp://{host}/example/",
    "https://{host}/example/",
    "HTTP://{host}/example/",
    "http://evil.example/{ours}",
    "http://evil.example?{ours}",
    "http://evil.example#{ours}",
    "http://{host}@evil.example/example/",
    "http://good@{host}/example/",
    "http://good:pass@{host}/example/",
    "http://{host}.evil.example/example/",
    "http://{host}:80@evil.example/",
    "http://evil.example\\@{host}/example/",
    "http://{host}\\.evil.example/example/",
    "http://{host}%2eevil.example/example/",
    "http://{host}%00.evil.example/example/",
    "http://127.0.0.1/example/",
    "http://localhost/example/",
    "http://2130706433/example/",
    "http://127.1/example/",
    "http://[::1]/example/",
    "http://\uff11\uff12\uff17.0.0.1/example/",
    "http://127。0。0。1/example/",
    "http://{host}/",
    "http://{host}/example",
    "http://{host}/examples/",
    "http://{host}/EXAMPLE/",
    "http://{host}//example/",
    "http://{host}/./example/",
    "http://{host}/x/../example/",
    "{ours}../result",
    "{ours}./../result",
    "{ours}..",
    "{ours}x/../../evil",
    "{ours}%2e%2e/result",
    "{ours}.%2E/result",
    "{ours}%2e/x",
    "{ours}x%2f..%2fy",
    "{ours}x%5c..%5cy",
    "{ours}x\\..\\y",
    "{ours}#status=connected",
    "{ours}#",
    "{ours}?status=connected",
    "{ours}?STATUS=connected",
    "{ours}?%73tatus=connected",
    "{ours}?+status=connected",
    "{ours}?a=b;status=connected",
    "{ours}?broker=x",
    "{ours}?attempt=x",
    "{ours}?a=b&error=x",
    "{ours}\r\nLocation: https://evil.example",
    "{ours}\x00",
    "{ours}\x7f",
    "{ours}é",
    "{ours}\u202e",
    "{ours}\ufeff",
    " {ours}",
    "{ours} ",
    "\ufeff{ours}",
    "{ours}" + "x" * 2_048,
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "javascript://{host}/example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "intent://evil#Intent;scheme=http;end",
    "blob:{ours}",
    "view-source:{ours}",
]


@pytest.mark.parametrize("return_to", ELSEWHERE)
def test_return_to_elsewhere_is_refused_at_both_doors(scene: Scene, return_to: str) -> None:
    url = return_to.replace("{ours}", scene.return_to).replace("{host}", scene.api.host)
    asked = scene.asked
    start = scene.browser().get("/authorize/pocketful?return_to=" + quote(url, safe=""))
    prepared = scene.backend(
        "POST", "/sessions", {"broker": "pocketful", "user_id": "asha", "account": ACCOUNT, "return_to": url}
    )
    assert (start.status, start.cookies, prepared.status) == (400, {}, 400)
    assert "evil" not in start.text + prepared.text
    assert scene.asked == asked


def test_return_to_twice_is_refused_also_where_one_is_allowed(scene: Scene) -> None:
    ours = quote(scene.return_to, safe="")
    for query in (f"return_to={ours}&return_to=//evil.example", f"return_to={ours}&return%5fto=//evil.example"):
        assert scene.browser().get(f"/authorize/pocketful?{query}").status == 400


@pytest.mark.parametrize("name", ["return_to", "redirect_uri", "redirect_url", "next", "url", "RelayState", "callback"])
def test_return_to_in_the_callback_is_ignored(scene: Scene, name: str) -> None:
    login = scene.browser().login(f"/authorize/pocketful?return_to={quote(scene.return_to, safe='')}")
    end = login.browser.get(f"{login.callback}&{name}=https%3A%2F%2Fevil.example%2F")
    assert end.location.startswith(f"{scene.return_to}?status=connected&")
    assert "evil" not in end.location


@pytest.mark.parametrize(
    "target", ["/result?attempt={attempt}&return_to={evil}", "/result?error=denied&return_to={evil}"]
)
def test_return_to_in_a_result_is_ignored(customer: Login, target: str) -> None:
    customer.finish()
    answer = customer.browser.get(target.format(attempt=customer.attempt_id, evil="https%3A%2F%2Fevil.example"))
    assert answer.status == 200
    assert "evil" not in answer.text


def test_retry_takes_its_end_from_the_attempt_and_not_from_the_link(scene: Scene, customer: Login) -> None:
    customer.browser.get(f"{customer.path}?error=access_denied&state={customer.state}")
    link = f"/authorize/pocketful?retry={customer.attempt_id}&return_to={quote(scene.return_to, safe='')}"
    rows = scene.rows_made
    assert customer.browser.get(link).status == 400
    assert scene.rows_made == rows


# ------------------------------------------------------------------------------------------ hosts that are no hosts

SPOOFS: list[Header] = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Server", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Scheme", "https"),
    ("X-Forwarded-Port", "443"),
    ("X-Forwarded-Prefix", "/evil"),
    ("Forwarded", "for=1.2.3.4;host=evil.example;proto=https"),
    ("X-Host", "evil.example"),
    ("X-Original-Host", "evil.example"),
    ("X-Original-URL", "/callback/evil"),
    ("X-Rewrite-URL", "/callback/evil"),
    ("Origin", "https://evil.example"),
    ("Referer", "https://evil.example/"),
    ("CloudFront-Forwarded-Proto", "https"),
    ("X-Amz-Cf-Id", "evil"),
]


@pytest.mark.parametrize("header", SPOOFS, ids=lambda header: header[0])
def test_spoofed_host_reaches_neither_redirect_uri_nor_location(scene: Scene, header: Header) -> None:
    browser = scene.browser()
    start = browser.get("/authorize/pocketful", header)
    assert start.query["redirect_uri"] == f"{scene.stack.base_url}/callback/pocketful"
    assert "evil" not in str(start)
    for target in ("/", "/result?error=denied", f"/callback/pocketful?code=c&state={'R' * 43}"):
        assert "evil" not in str(browser.get(target, header))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "localhost:{port}", "127.0.0.1.evil.example"])
@pytest.mark.parametrize(
    "target", ["/", "/authorize/pocketful", "/authorize/pocketful?return_to=x", "/authorize/x%2f..%2f"]
)
def test_start_on_a_host_of_the_attackers_leads_home_and_stores_nothing(scene: Scene, host: str, target: str) -> None:
    rows = scene.rows_made
    answer = scene.browser().get(target, ("Host", host.format(port=scene.api.host.partition(":")[2])))
    if answer.status == 303:
        assert answer.location.startswith(f"{scene.stack.base_url}/")
    else:
        assert answer.status in {403, 404}
    assert answer.cookies == {}
    assert scene.rows_made == rows


REBOUND: list[str] = ["/result?error=denied", "/callback/pocketful?code=c&state=s", "/attempts/x", "/example/"]


@pytest.mark.parametrize("target", REBOUND)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:{port}", "[::1]:{port}"]
)
def test_dns_rebinding_reaches_nothing_else_of_the_api(scene: Scene, host: str, target: str) -> None:
    answer = scene.browser().get(target, ("Host", host.format(port=scene.api.host.partition(":")[2])))
    assert (answer.status, answer.ours) == (403, False)


# ------------------------------------------------------------------------------------------------- brokers by name

NO_BROKERS: dict[str, str] = {
    "unknown": "evil",
    "markup": "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "attribute": "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
    "line break": "evil%0D%0ASet-Cookie:x=y",
    "NUL": "pocketful%00",
    "a space": "pocketful%20",
    "upper case": "POCKETFUL",
    "fullwidth letter": "%EF%BD%90ocketful",
    "soft hyphen": "pocket%C2%ADful",
    "overlong UTF-8": "%C1%B0ocketful",
    "a path parameter": "pocketful;x=y",
    "template": "%7Bbroker%7D",
    "property": "__class__",
    "prototype": "__proto__",
    "module": "oauth2",
    "base module": "base",
    "trailing dot": "pocketful.",
    "format string": "%25s%25n",
}


@pytest.mark.parametrize("name", NO_BROKERS)
@pytest.mark.parametrize("route", ["authorize", "callback"])
def test_broker_that_is_none_is_not_found_and_not_echoed(victim: Login, route: str, name: str) -> None:
    query = victim.callback.partition("?")[2]
    answer = victim.browser.get(f"/{route}/{NO_BROKERS[name]}?{query}")
    assert answer.status in ({404, 400} if "%25" in NO_BROKERS[name] else {404})
    assert not [echo for echo in ("<script>alert", "<img", "evil", "__", "x=y") if echo in answer.text]
    victim.assert_untouched()


def test_redirect_uri_is_the_same_on_both_legs_to_the_byte(scene: Scene) -> None:
    browser = scene.browser()
    broker_url = browser.start()
    sent = parse_qs(urlsplit(broker_url).query)["redirect_uri"]
    callback = scene.walker.at_broker(broker_url)
    login = Login(scene, browser, callback.removeprefix(scene.stack.base_url))
    login.finish()
    exchange = scene.exchange_of(login)
    assert parse_qs(exchange.body or "")["redirect_uri"] == sent == [f"{scene.stack.base_url}/callback/pocketful"]
