"""Forged, foreign and crossed callbacks: a browser finishes the logins that it began, and no others."""

from __future__ import annotations

import base64
import inspect
import json
import secrets
from collections.abc import Callable, Iterator
from typing import cast

import pytest

import authorize_app
import callback_app
from start import Authorize
from tests.kit.situations import ACCOUNT, USER, Login, begin, begin_directly
from tests.kit.world import MIDNIGHT, RETURN_TO, Browser, Reply, World, answer, pocketful, world


@pytest.fixture
def the_world() -> Iterator[World]:
    with world() as made:
        yield made


def attacker(login: Login) -> Browser:
    browser = login.world.browser()
    browser.start()
    return browser


def flipped(state: str) -> str:
    return ("A" if state[0] != "A" else "B") + state[1:]


# What an attacker may send while a victim's login is at the broker, and the refusal: a status, or a Location.
FORGERIES: dict[str, tuple[Callable[[Login], Reply], int | str]] = {
    "no state": (lambda it: it.browser.get("/callback/pocketful?code=c"), 400),
    "empty state": (lambda it: it.browser.get("/callback/pocketful?code=c&state="), 400),
    "random state": (lambda it: it.browser.get("/callback/pocketful?code=c&state=" + "R" * 43), 400),
    "state of 10 kB": (lambda it: it.browser.get("/callback/pocketful?code=c&state=" + "s" * 10_240), 400),
    "state with controls": (lambda it: it.browser.get(f"/callback/pocketful?code=c&state={it.state}%0D%0A%00"), 400),
    "state with emoji": (lambda it: it.browser.get("/callback/pocketful?code=c&state=%F0%9F%98%80" + "s" * 39), 400),
    "state with one character flipped": (lambda it: it.browser.come_back(flipped(it.state)), 400),
    "state in the other case": (lambda it: it.browser.come_back(it.state.swapcase()), 400),
    "state at another broker's callback": (
        lambda it: it.browser.get(f"/callback/fivepaisa?RequestToken=c&state={it.state}"),
        400,
    ),
    "no cookie": (lambda it: it.world.browser().come_back(it.state), "/result?error=wrong_browser"),
    "no cookie, with an error": (
        lambda it: it.world.browser().come_back(it.state, error="access_denied"),
        "/result?error=wrong_browser",
    ),
    "attacker's cookie": (lambda it: attacker(it).come_back(it.state), "/result?error=wrong_browser"),
    "attacker's cookie, with an error": (
        lambda it: attacker(it).come_back(it.state, error="access_denied"),
        "/result?error=wrong_browser",
    ),
    "attacker's cookie, with nothing": (
        lambda it: attacker(it).come_back(it.state, x="y"),
        "/result?error=wrong_browser",
    ),
    "attacker's state in the victim's browser": (
        lambda it: it.browser.come_back(attacker(it).start()),
        "/result?error=wrong_browser",
    ),
    "victim's hash as a cookie": (
        lambda it: it.world.request(
            "GET",
            f"/callback/pocketful?code=c&state={it.state}",
            cookies=[f"__Host-brokerlink={it.row()['browser_hash']}"],
        ),
        "/result?error=wrong_browser",
    ),
    "attempt_id as the state": (lambda it: it.browser.come_back(it.attempt_id), 400),
    "form posted by another site": (
        lambda it: it.world.request(
            "POST",
            "/callback/pocketful",
            headers={"content-type": "application/x-www-form-urlencoded", "origin": "https://evil.example"},
            body=f"code=c&state={it.state}",
        ),
        303,
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_callback_is_refused_and_the_live_attempt_unharmed(the_world: World, forgery: str) -> None:
    login = begin_directly(the_world)
    before = login.row()
    send, refusal = FORGERIES[forgery]
    reply = send(login)
    assert (reply.location if isinstance(refusal, str) else reply.status) == refusal
    assert the_world.http.sent == []
    assert login.row() == before
    assert the_world.lines()
    login.come_back(*pocketful())
    assert login.row()["status"] == "SUCCEEDED"
    assert len(the_world.tokens()) == 1


def test_two_tabs_finish_in_reverse_order(the_world: World) -> None:
    first = begin_directly(the_world)
    second = begin_directly(the_world, first.browser)
    second.come_back(*pocketful("YA0002"))
    first.come_back(*pocketful("YA0003"))
    assert {row["status"] for row in the_world.attempts()} == {"SUCCEEDED"}
    assert {row["account"] for row in the_world.tokens()} == {"YA0002", "YA0003"}


@pytest.mark.parametrize("iss", ["", "&iss=https%3A%2F%2Fevil.example", "&iss=https%3A%2F%2Fother.example%2F", "&iss="])
def test_mix_up_answer_of_another_issuer_is_refused(iss: str) -> None:
    app = {
        "protocol": "oauth2",
        "client_id": "c",
        "authorization_endpoint": "https://other.example/auth",
        "token_endpoint": "https://other.example/token",
        "issuer": "https://other.example",
        "account": {"path": "account"},
    }
    with world(apps={"other": app}, secrets={"other": {"client_secret": "s"}}) as made:
        browser = made.browser()
        state = browser.get("/authorize/other").query["state"]
        before = made.attempt()
        assert browser.get(f"/callback/other?code=c&state={state}{iss}").status == 400
        assert made.http.sent == []
        assert made.attempt() == before
        made.http.script = [answer({"access_token": "t", "token_type": "bearer", "account": ACCOUNT})]
        browser.get(f"/callback/other?code=c&state={state}&iss=https%3A%2F%2Fother.example")
        assert made.attempt()["status"] == "SUCCEEDED"


def test_account_swap_login_of_another_account_ends_as_a_mismatch(the_world: World) -> None:
    begin(the_world, account=ACCOUNT).come_back(*pocketful(ACCOUNT, token="first"))
    kept = the_world.tokens()
    login = begin(the_world, account=ACCOUNT, return_to=RETURN_TO)
    for account in ("YA0003", ACCOUNT.lower(), f"{ACCOUNT}0"):
        again = begin(the_world, account=ACCOUNT, return_to=RETURN_TO)
        assert again.come_back(*pocketful(account)).query["error"] == "account_mismatch"
    assert the_world.tokens() == kept
    assert login.row()["status"] == "PENDING"


def test_guessed_state_100_000_states_are_all_different_and_random() -> None:
    for make_app in (authorize_app.make_app, callback_app.make_app):
        # Read at each call and never kept, so two processes restored from one snapshot differ.
        assert inspect.signature(make_app).parameters["random_bytes"].default is secrets.token_bytes
    with world() as made:
        start = cast("Authorize", made.functions["authorize"].routes["GET /authorize/{broker}"].answer)
        states = [start.beginning.new_secret().reveal() for _ in range(100_000)]
    assert len(set(states)) == 100_000
    decoded = b"".join(base64.urlsafe_b64decode(state + "=") for state in states)
    ones = sum(byte.bit_count() for byte in decoded)
    assert len(decoded) == 100_000 * 32
    assert abs(ones / (len(decoded) * 8) - 0.5) < 0.001


def test_cross_site_start_by_anything_but_a_link_has_no_route(the_world: World) -> None:
    assert list(the_world.functions["authorize"].routes) == ["GET /", "GET /authorize/{broker}", "POST /sessions"]


def test_cross_site_start_by_a_link_shows_a_page_and_begins_nothing(the_world: World) -> None:
    reply = the_world.browser().get("/authorize/pocketful", sec_fetch_site="cross-site")
    assert (reply.status, reply.payload["cookies"], the_world.attempts()) == (200, [], [])


# ---------------------------------------------------------------- a start link that travels


def test_forwarded_start_link_is_held_and_commits_for_nobody_but_the_user_who_is_present(the_world: World) -> None:
    victim = begin(the_world)
    reply = victim.come_back(*pocketful("VICTIM1"))
    assert reply.query["status"] == "confirm"
    # No row of Tokens: nothing to announce, nothing to read.
    assert the_world.tokens() == []
    # The platform sees the victim logged in, not the sender of the link.
    assert the_world.confirm(victim.attempt_id, "victim").status == 404
    assert "ciphertext" not in victim.row()
    assert the_world.confirm(victim.attempt_id, USER).status == 404
    assert the_world.tokens() == []


def test_forwarded_start_link_is_past_committing_after_ten_minutes(the_world: World) -> None:
    victim = begin(the_world)
    victim.come_back(*pocketful("VICTIM1"))
    the_world.clock.now += 600
    assert the_world.confirm(victim.attempt_id, USER).status == 404
    assert "ciphertext" not in victim.row()
    assert the_world.tokens() == []


def jwt(**claims: object) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({}, claims)]
    return ".".join([*parts, "signature"])


def test_request_token_of_a_victim_injected_into_ones_own_callback_is_a_mismatch(the_world: World) -> None:
    prepared = the_world.session(broker="fivepaisa", user_id="attacker", account="50000001", return_to=RETURN_TO)
    browser = the_world.browser()
    state = browser.get(str(prepared.json["start_url"])).location.rpartition("State=")[2]
    token = jwt(unique_name="50052770", exp=MIDNIGHT - 1)
    the_world.http.script = [answer({"body": {"Status": 0, "ClientCode": "50052770", "AccessToken": token}})]
    reply = browser.get(f"/callback/fivepaisa?RequestToken=victims&state={state}")
    assert reply.query["error"] == "account_mismatch"
    assert the_world.tokens() == []


def test_session_that_could_take_a_victims_request_token_is_not_made(the_world: World) -> None:
    assert the_world.session(broker="fivepaisa", user_id="attacker", return_to=RETURN_TO).status == 400
    assert the_world.attempts() == []
