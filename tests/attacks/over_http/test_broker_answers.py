"""A broker, or somebody in its place, that answers with nonsense, with too much, or with almost the right thing."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from local.simulators.clock import next_midnight
from tests.attacks.over_http.scene import Login, Scene
from tests.attacks.over_http.scripted import ACCOUNT, TOKEN, Said, ScriptedBroker

GOOD_TEXT = json.dumps(TOKEN).encode()
HTML = Said(b"<!doctype html><title>canary</title><h1>canary</h1>", 500, (("Content-Type", "text/html"),))


@pytest.fixture
def broker(scene: Scene) -> Iterator[ScriptedBroker]:
    """The broker as it answers to nobody else: well."""
    yield scene.scripted
    scene.scripted.token, scene.scripted.identity = Said(TOKEN), Said(ACCOUNT)


def come_back(scene: Scene) -> Login:
    """Log a customer in at the scripted broker, with a code of its own."""
    browser = scene.browser()
    state = parse_qs(urlsplit(browser.start("/authorize/scripted")).query)["state"][0]
    login = Login(scene, browser, f"/callback/scripted?code=code-for-{state[:8]}&state={state}")
    login.finish()
    return login


def without(name: str) -> dict[str, object]:
    return {each: value for each, value in TOKEN.items() if each != name}


def encoded(body: bytes, coding: str) -> Said:
    return Said(body, headers=(("Content-Type", "application/json"), ("Content-Encoding", coding)))


# What the token endpoint says, and what the login comes to. The code is never sent twice.
USELESS: dict[str, tuple[Said, str]] = {
    "500 with HTML": (HTML, "broker_unavailable"),
    "502 with HTML": (Said(HTML.body, 502), "broker_unavailable"),
    "503 with HTML": (Said(HTML.body, 503), "broker_unavailable"),
    "429 without Retry-After": (Said({}, 429), "broker_unavailable"),
    "400 invalid_grant": (Said({"error": "invalid_grant", "error_description": "canary"}, 400), "grant_rejected"),
    "401 invalid_client": (Said({"error": "invalid_client"}, 401), "app_misconfigured"),
    "401 with HTML": (Said(HTML.body, 401), "broker_error"),
    "200 with HTML": (Said(HTML.body), "broker_error"),
    "200 with an error": (Said({**TOKEN, "error": "invalid_grant"}), "grant_rejected"),
    "200 with an unknown error": (Said({**TOKEN, "error": "canary"}), "broker_error"),
    "200 with an error that is no text": (Said({**TOKEN, "error": ["invalid_client"]}), "broker_error"),
    "201 with a token": (Said(TOKEN, 201), "broker_error"),
    "302 to elsewhere": (Said(b"", 302, (("Location", "http://127.0.0.1:9/token"),)), "broker_error"),
    "307 to itself": (Said(b"", 307, (("Location", "/token"),)), "broker_error"),
    "an empty body": (Said(b""), "broker_error"),
    "a list": (Said([]), "broker_error"),
    "null": (Said(None), "broker_error"),
    "a text": (Said("scripted-token"), "broker_error"),
    "a form": (Said(b"access_token=scripted-token&token_type=bearer"), "broker_error"),
    "no access_token": (Said(without("access_token")), "broker_error"),
    "an empty access_token": (Said({**TOKEN, "access_token": ""}), "broker_error"),
    "an access_token that is a number": (Said({**TOKEN, "access_token": 1}), "broker_error"),
    "an access_token that is a list": (Said({**TOKEN, "access_token": ["x"]}), "broker_error"),
    "token_type mac": (Said({**TOKEN, "token_type": "mac"}), "broker_error"),
    "token_type null": (Said({**TOKEN, "token_type": None}), "broker_error"),
    "expires_in 0": (Said({**TOKEN, "expires_in": 0}), "broker_error"),
    "expires_in negative": (Said({**TOKEN, "expires_in": -1}), "broker_error"),
    "expires_in true": (Said({**TOKEN, "expires_in": True}), "broker_error"),
    "expires_in a word": (Said({**TOKEN, "expires_in": "soon"}), "broker_error"),
    "expires_in in Arabic digits": (Said({**TOKEN, "expires_in": "\u0661\u0662"}), "broker_error"),
    "expires_in 1e999": (Said(GOOD_TEXT[:-1] + b', "expires_in": 1e999}'), "broker_error"),
    "expires_in NaN": (Said(GOOD_TEXT[:-1] + b', "expires_in": NaN}'), "broker_error"),
    "a number of 5,000 digits": (Said(b'{"expires_in": ' + b"9" * 5_000 + b"}"), "broker_error"),
    "access_token twice": (Said(GOOD_TEXT[:-1] + b', "access_token": "other"}'), "broker_error"),
    "half a surrogate pair": (Said(b'{"access_token": "\\ud800", "token_type": "bearer"}'), "broker_error"),
    "Latin-1": (Said('{"access_token": "é", "token_type": "bearer"}'.encode("latin-1")), "broker_error"),
    "UTF-16": (Said(json.dumps(TOKEN).encode("utf-16")), "broker_error"),
    "nested 30,000 deep": (Said(b"[" * 30_000), "broker_error"),
    "trailing garbage": (Said(GOOD_TEXT + b"x"), "broker_error"),
    "70 kB": (Said(GOOD_TEXT + b" " * 70_000), "broker_error"),
    "a gzip bomb": (encoded(gzip.compress(b" " * 1_000_000), "gzip"), "broker_error"),
    "a deflate bomb": (encoded(zlib.compress(b" " * 1_000_000), "deflate"), "broker_error"),
    "gzip within gzip": (encoded(gzip.compress(gzip.compress(GOOD_TEXT)), "gzip, gzip"), "outcome_unknown"),
    "a coding that nobody knows": (encoded(GOOD_TEXT, "br"), "outcome_unknown"),
    "no gzip at all": (encoded(GOOD_TEXT, "gzip"), "outcome_unknown"),
    "a token too long to seal": (Said({**TOKEN, "access_token": "x" * 5_000}), "internal"),
}


@pytest.mark.parametrize("name", USELESS)
def test_useless_answer_ends_the_login_after_one_exchange(scene: Scene, broker: ScriptedBroker, name: str) -> None:
    broker.token, code = USELESS[name]
    sent, told = len(broker.grants), scene.mark()
    login = come_back(scene)
    outcome, row = login.outcome(), login.row()
    assert (outcome["error"], row["status"]) == (code, "FAILED")
    assert len(broker.grants) == sent + 1
    shown = login.browser.get(f"/result?attempt={login.attempt_id}").text
    for place in (shown, str(outcome), str(scene.lines(told, code))):
        assert not [echo for echo in ("canary", "scripted-token", "scripted-secret") if echo in place]
    assert login.finish().status == 303
    assert len(broker.grants) == sent + 1
    assert scene.token("scripted:SC0001", "scripted", "SC0001") is None


# Odd, but a token: when it ends is never past the broker's day.
GOOD: dict[str, Said] = {
    "token_type Bearer": Said({**TOKEN, "token_type": "Bearer"}),
    "token_type BEARER": Said({**TOKEN, "token_type": "BEARER"}),
    "no token_type": Said(without("token_type")),
    "no expires_in": Said(TOKEN),
    "expires_in as text": Said({**TOKEN, "expires_in": "86399"}),
    "expires_in 1e12": Said({**TOKEN, "expires_in": 1e12}),
    "expires_in a fraction": Said({**TOKEN, "expires_in": 86_399.9}),
    "a byte order mark": Said(b"\xef\xbb\xbf" + GOOD_TEXT),
    "another content type": Said(TOKEN, headers=(("Content-Type", "text/html; charset=iso-8859-1"),)),
    "gzip": encoded(gzip.compress(GOOD_TEXT), "gzip"),
    "a cookie": Said(TOKEN, headers=(("Set-Cookie", "brokerlink=" + "A" * 43),)),
    "unknown members": Said({**TOKEN, "refresh_token": "canary", "user": {"name": "canary"}}),
}


@pytest.mark.parametrize("name", GOOD)
def test_odd_answer_with_a_token_is_clamped_to_the_brokers_day(scene: Scene, broker: ScriptedBroker, name: str) -> None:
    broker.token = GOOD[name]
    user = "odd-" + "".join(each for each in name if each.isalnum())
    browser = scene.browser()
    start_url = scene.session(broker="scripted", user_id=user, account="SC0001")
    state = parse_qs(urlsplit(browser.start(start_url)).query)["state"][0]
    login = Login(scene, browser, f"/callback/scripted?code=c&state={state}")
    login.finish()
    assert login.outcome()["status"] == "connected"
    row = scene.token(user, "scripted", "SC0001")
    assert row is not None
    assert time.time() < row["expires_at"] <= next_midnight(int(time.time()))
    assert "canary" not in str(row)
    assert browser.cookies["brokerlink"] != "A" * 43
    scene.remove_token(user, "scripted", "SC0001")


@pytest.mark.parametrize("granted", ["orders", "", "holdings", "other"])
def test_smaller_scope_is_stored_as_granted_and_flagged(scene: Scene, broker: ScriptedBroker, granted: str) -> None:
    broker.token = Said({**TOKEN, "scope": granted})
    told = scene.mark()
    login = come_back(scene)
    assert login.outcome()["status"] == "connected"
    row = scene.token("scripted:SC0001", "scripted", "SC0001")
    assert row is not None
    assert row["scope"] == granted
    scene.lines(told, "scope_reduced")
    scene.remove_token("scripted:SC0001", "scripted", "SC0001")


# Who is it? Without a clear answer no token is kept.
NOBODY: dict[str, Said] = {
    "403": Said({"status": "error", "error_type": "canary"}, 403),
    "200 without an account": Said({"data": {}}),
    "account null": Said({"data": {"client_id": None}}),
    "account a number": Said({"data": {"client_id": 1}}),
    "account a list": Said({"data": {"client_id": ["SC0001"]}}),
    "account an object": Said({"data": {"client_id": {"id": "SC0001"}}}),
    "account empty": Said({"data": {"client_id": ""}}),
    "account with a hash": Said({"data": {"client_id": "SC0001#x"}}),
    "account with a slash": Said({"data": {"client_id": "../SC0001"}}),
    "account with a colon": Said({"data": {"client_id": "scripted:SC0001"}}),
    "account with a line break": Said({"data": {"client_id": "SC0001\n"}}),
    "account with markup": Said({"data": {"client_id": "<b>canary</b>"}}),
    "account in fullwidth digits": Said({"data": {"client_id": "SC000\uff11"}}),
    "account of 65 characters": Said({"data": {"client_id": "x" * 65}}),
    "account twice": Said(b'{"data": {"client_id": "SC0001", "client_id": "SC0002"}}'),
    "a list": Said([ACCOUNT]),
    "HTML": HTML,
    "70 kB": Said(json.dumps(ACCOUNT).encode() + b" " * 70_000),
    "302": Said(b"", 302, (("Location", "/me"),)),
}


@pytest.mark.parametrize("name", NOBODY)
def test_token_under_an_unknown_account_is_not_kept(scene: Scene, broker: ScriptedBroker, name: str) -> None:
    broker.identity = NOBODY[name]
    sent, told = len(broker.grants), scene.mark()
    login = come_back(scene)
    assert login.outcome()["error"] == "account_unknown"
    assert len(broker.grants) == sent + 1
    shown = login.browser.get(f"/result?attempt={login.attempt_id}").text
    assert not [echo for echo in ("canary", "SC000") if echo in shown + str(scene.lines(told, "account_unknown"))]
    assert scene.token("scripted:SC0001", "scripted", "SC0001") is None


def test_account_with_spaces_around_is_another_account(scene: Scene, broker: ScriptedBroker) -> None:
    broker.identity = Said({"data": {"client_id": " SC0001"}})
    assert come_back(scene).outcome()["error"] == "account_unknown"


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Injected: y", "a\x00b", "\u2603", "a" * 4_096])
def test_token_that_would_break_a_header_breaks_none(scene: Scene, broker: ScriptedBroker, token: str) -> None:
    broker.token = Said({**TOKEN, "access_token": token})
    login = come_back(scene)
    outcome = login.outcome()
    assert outcome.get("error", "connected") in {"account_unknown", "connected"}
    assert "X-Injected" not in str(outcome)
    scene.remove_token("scripted:SC0001", "scripted", "SC0001")
