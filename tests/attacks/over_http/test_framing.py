"""HTTP messages that two servers could cut in two places: what is smuggled in one reaches no function."""

from __future__ import annotations

import pytest

from tests.attacks.over_http.scene import Browser, Login
from tests.attacks.over_http.wire import Answer

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


def get(login: Login, callback: str | None = None, *, close: bool = False) -> str:
    """Write the genuine request of the victim's browser."""
    return (
        f"GET {callback or login.callback} HTTP/1.1\r\nHost: {login.scene.api.host}\r\n"
        f"Cookie: brokerlink={login.browser.cookies['brokerlink']}\r\n"
        + ("Connection: close\r\n" if close else "")
        + "\r\n"
    )


def send(login: Login, *parts: str) -> list[Answer]:
    return login.scene.api.send("".join(parts).encode("latin-1"))


# The beginning of a POST whose end is unclear; after it comes a genuine callback of the victim's.
AMBIGUOUS = {
    "length and chunks": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "two lengths in one": "Content-Length: 0, 5\r\n\r\n",
    "twice the same length": "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a negative length": "Content-Length: -1\r\n\r\n",
    "a signed length": "Content-Length: +0\r\n\r\n",
    "a hexadecimal length": "Content-Length: 0x0\r\n\r\n",
    "a length with a point": "Content-Length: 0.0\r\n\r\n",
    "an Arabic length": "Content-Length: \xd9\xa0\r\n\r\n",
    "a superscript length": "Content-Length: \xb2\r\n\r\n",
    "an empty length": "Content-Length: \r\n\r\n",
    "a length of 30 digits": "Content-Length: " + "9" * 30 + "\r\n\r\n",
    "chunked twice": "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked in two lines": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked and more": "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "nearly chunked": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked with a vertical tab": "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in quotes": 'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "a blank before the colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded line": "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a line feed alone": "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a carriage return alone": "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "NUL in a name": "Transfer\x00Encoding: chunked\r\n\r\n0\r\n\r\n",
    "NUL in a value": "X: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "a name without a colon": "Content-Length\r\n\r\n",
    "a chunk size that is none": "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "a chunk size with a sign": "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a chunk size with 0x": "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a chunk size too large": "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF0\r\n",
    "a negative chunk size": "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a chunk longer than told": "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "an expectation that is none": "Expect: 200-ok\r\nContent-Length: 0\r\n\r\n",
    "two hosts": "Host: evil.example\r\nContent-Length: 0\r\n\r\n",
    "the same host twice": "Host: {host}\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_request_smuggled_behind_an_ambiguous_one_is_never_read(victim: Login, name: str) -> None:
    asked = victim.scene.asked
    host = victim.scene.api.host
    head = f"POST {victim.path} HTTP/1.1\r\nHost: {host}\r\n{FORM}{AMBIGUOUS[name].format(host=host)}"
    (answer,) = send(victim, head, get(victim, close=True))
    assert answer.status in {400, 413, 417}
    assert not answer.ours
    assert victim.scene.asked == asked
    victim.assert_untouched()


def test_request_within_a_body_is_a_body(victim: Login) -> None:
    inner = get(victim)
    head = f"POST {victim.path} HTTP/1.1\r\nHost: {victim.scene.api.host}\r\n{FORM}Connection: close\r\n"
    for framed in (
        f"Content-Length: {len(inner)}\r\n\r\n{inner}",
        f"Transfer-Encoding: chunked\r\n\r\n{len(inner):x}\r\n{inner}\r\n0\r\n\r\n",
        f"Transfer-Encoding: chunked\r\n\r\n{len(inner):x};x=y\r\n{inner}\r\n0\r\nX-Trailer: y\r\n\r\n",
    ):
        (answer,) = send(victim, head, framed)
        assert answer.status == 400
    victim.assert_untouched()


def test_trailer_after_a_chunked_body_is_no_header(victim: Login) -> None:
    body = f"code=c&state={victim.state}"
    (answer,) = send(
        victim,
        f"POST {victim.path} HTTP/1.1\r\nHost: {victim.scene.api.host}\r\nConnection: close\r\n",
        f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n0\r\n{FORM}\r\n",
    )
    assert answer.status == 415
    victim.assert_untouched()


def test_chunked_form_is_a_form_like_any_other(victim: Login) -> None:
    body = f"code=forged&state={victim.state}"
    pieces = "".join(f"1\r\n{each}\r\n" for each in body)
    (answer,) = send(
        victim,
        f"POST {victim.path} HTTP/1.1\r\nHost: {victim.scene.api.host}\r\n{FORM}Connection: close\r\n",
        f"Transfer-Encoding: chunked\r\n\r\n{pieces}0\r\n\r\n",
    )
    assert Browser(victim.scene).get(answer.location).location == "/result?error=wrong_browser"
    victim.assert_untouched()


def test_body_cut_short_reaches_no_function(victim: Login) -> None:
    asked = victim.scene.asked
    for framed in ("Content-Length: 500\r\n\r\ncode=c", "Transfer-Encoding: chunked\r\n\r\n500\r\ncode=c"):
        head = f"POST {victim.path} HTTP/1.1\r\nHost: {victim.scene.api.host}\r\n{FORM}"
        assert victim.scene.api.send((head + framed).encode(), cut_short=True) == []
    assert victim.scene.asked == asked
    victim.assert_untouched()


def test_callback_pipelined_behind_itself_is_exchanged_once(customer: Login) -> None:
    answers = send(customer, get(customer), get(customer), get(customer, close=True))
    assert {answer.location for answer in answers} == {f"/result?attempt={customer.attempt_id}"}
    assert len(answers) == 3
    assert customer.scene.exchanges(customer.grant) == 1


def test_pipelined_strangers_do_not_inherit_the_cookie_of_the_one_before(victim: Login) -> None:
    stranger = f"GET {victim.callback} HTTP/1.1\r\nHost: {victim.scene.api.host}\r\nConnection: close\r\n\r\n"
    first, second = send(victim, get(victim, "/"), stranger)
    assert first.status == 200
    assert second.location == "/result?error=wrong_browser"
    victim.assert_untouched()


# Heads that the gateway takes for none, or for too much.
HEADS = {
    "no host": "GET {callback} HTTP/1.1\r\n\r\n",
    "an empty host": "GET {callback} HTTP/1.1\r\nHost:\r\n\r\n",
    "a host with a user": "GET {callback} HTTP/1.1\r\nHost: x@{host}\r\n\r\n",
    "a host with a path": "GET {callback} HTTP/1.1\r\nHost: {host}/x\r\n\r\n",
    "two hosts in one": "GET {callback} HTTP/1.1\r\nHost: {host}, {host}\r\n\r\n",
    "a host with a blank": "GET {callback} HTTP/1.1\r\nHost: {host} x\r\n\r\n",
    "a port that is none": "GET {callback} HTTP/1.1\r\nHost: 127.0.0.1:x\r\n\r\n",
    "HTTP/0.9": "GET {callback}\r\n\r\n",
    "HTTP/2": "GET {callback} HTTP/2.0\r\nHost: {host}\r\n\r\n",
    "HTTP/1.10": "GET {callback} HTTP/1.10\r\nHost: {host}\r\n\r\n",
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another protocol": "RTSP {callback} RTSP/1.0\r\nHost: {host}\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 60 + "\r\n\r\n",
    "a blank more": "GET  {callback} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a tab": "GET\t{callback} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a line feed alone": "GET {callback} HTTP/1.1\nHost: {host}\n\n",
    "a header of 11 kB": "GET {callback} HTTP/1.1\r\nHost: {host}\r\nX: " + "x" * 11_000 + "\r\n\r\n",
    "a name of 11 kB": "GET {callback} HTTP/1.1\r\nHost: {host}\r\n" + "x" * 11_000 + ": y\r\n\r\n",
    "2,000 headers": "GET {callback} HTTP/1.1\r\nHost: {host}\r\n" + "X: y\r\n" * 2_000 + "\r\n",
    "a method of 11 kB": "G" * 11_000 + " {callback} HTTP/1.1\r\nHost: {host}\r\n\r\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_head_that_is_none_reaches_no_function(victim: Login, name: str) -> None:
    asked = victim.scene.asked
    (answer,) = send(victim, HEADS[name].format(host=victim.scene.api.host, callback=victim.callback))
    assert answer.status in {400, 431}
    assert not answer.ours
    assert victim.scene.asked == asked
    victim.assert_untouched()


def test_body_of_a_get_is_not_read(victim: Login) -> None:
    body = f"code={victim.grant}&state={victim.state}"
    head = get(victim, victim.path, close=True).removesuffix("\r\n")
    (answer,) = send(victim, f"{head}{FORM}Content-Length: {len(body)}\r\n\r\n{body}")
    assert answer.status == 400
    victim.assert_untouched()


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0, HTTP/1.1"])
def test_upgrade_to_another_protocol_is_not_taken(victim: Login, protocol: str) -> None:
    head = f"GET / HTTP/1.1\r\nHost: {victim.scene.api.host}\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
    (answer,) = send(victim, f"{head}Upgrade: {protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
    assert (answer.status, answer.values("upgrade")) == (200, [])


def test_body_over_the_gateways_limit_is_refused_before_it_is_sent(victim: Login) -> None:
    head = f"POST {victim.path} HTTP/1.1\r\nHost: {victim.scene.api.host}\r\n{FORM}Content-Length: 7000000\r\n\r\n"
    (answer,) = send(victim, head)
    assert answer.status == 413
    victim.assert_untouched()
