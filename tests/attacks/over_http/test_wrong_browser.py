"""The right state in the wrong browser: login CSRF, stolen callbacks, and cookies that are bent, tossed or borrowed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.attacks.over_http.scene import ACCOUNT, FORM, JSON, MASKED, Browser, Login, Scene
from tests.attacks.over_http.wire import Answer, Header

WRONG_BROWSER = "/result?error=wrong_browser"


def assert_told_nothing(answer: Answer, victim: Login) -> None:
    """The wrong browser is sent to a page that knows nothing, and is given nothing to keep."""
    assert answer.location == WRONG_BROWSER
    assert answer.cookies == {}
    shown = Browser(victim.scene).get(answer.location).text
    for hint in (victim.attempt_id, victim.state, "Pocketful", ACCOUNT, MASKED, "connected"):
        assert hint not in shown


# ------------------------------------------------------------------------------------- forged and stolen callbacks


def test_login_csrf_stolen_callback_without_a_cookie(scene: Scene, victim: Login) -> None:
    assert_told_nothing(scene.browser().get(victim.callback), victim)
    victim.assert_untouched()


def test_login_csrf_stolen_callback_with_the_attackers_own_cookie(victim: Login, attacker: Browser) -> None:
    assert_told_nothing(attacker.get(victim.callback), victim)
    victim.assert_untouched()


def test_login_csrf_attackers_callback_in_the_victims_browser(scene: Scene, victim: Login) -> None:
    planted = scene.browser().login(account="YA0003")
    assert_told_nothing(victim.browser.get(planted.callback), planted)
    planted.assert_untouched()
    victim.assert_untouched()


def test_login_csrf_brokers_page_of_the_attackers_attempt_sent_to_the_victim(scene: Scene, attacker: Browser) -> None:
    """The victim logs in on the page that the attacker's attempt leads to: their code goes to nobody."""
    callback = scene.walker.at_broker(attacker.start(), account="YA0003")
    lured = Login(scene, scene.browser(), callback.removeprefix(scene.stack.base_url))
    lured.browser.start()
    assert_told_nothing(lured.finish(), lured)
    assert scene.exchanges(lured.grant) == 0
    assert scene.token("pocketful:YA0003") is None or lured.row()["status"] == "PENDING"


def test_login_csrf_callback_asked_for_as_json_tells_no_more(victim: Login, attacker: Browser) -> None:
    for browser in (attacker, Browser(victim.scene)):
        assert_told_nothing(browser.get(victim.callback, JSON, ("Sec-Fetch-Site", "same-origin")), victim)
    victim.assert_untouched()


# What a stranger can still try to end the victim's attempt: without a grant, or with another one.
STRANGERS = {
    "a forged code": "code=forged&state={state}",
    "an error": "error=access_denied&state={state}",
    "a server error": "error=server_error&state={state}",
    "an error and a code": "error=access_denied&code=forged&state={state}",
    "nothing but the state": "state={state}",
    "an unknown parameter": "state={state}&x=y",
}


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("with_cookie", [True, False], ids=["own cookie", "no cookie"])
def test_stranger_cannot_end_a_live_attempt(victim: Login, attacker: Browser, name: str, *, with_cookie: bool) -> None:
    browser = attacker if with_cookie else Browser(victim.scene)
    assert_told_nothing(browser.get(f"{victim.path}?{STRANGERS[name].format(state=victim.state)}"), victim)
    victim.assert_untouched()


def test_stranger_cannot_end_a_live_attempt_with_a_dead_request_token(scene: Scene) -> None:
    victim = scene.browser().login("/authorize/fivepaisa")
    # {"exp": 1}: an expired request token would end the attempt in its own browser.
    answer = scene.browser().get(f"{victim.path}?RequestToken=e30.eyJleHAiOjF9.x&state={victim.state}")
    assert answer.location == WRONG_BROWSER
    victim.assert_unharmed()


def test_form_posted_by_another_site_carries_no_cookie_and_touches_nothing(scene: Scene, victim: Login) -> None:
    other_site: list[Header] = [FORM, ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
    body = f"code=forged&state={victim.state}".encode()
    bounce = scene.browser().post(victim.path, body, *other_site)
    assert bounce.status == 303
    assert scene.browser().get(bounce.location).location == WRONG_BROWSER
    victim.assert_untouched()


def test_two_tabs_finish_in_reverse_order(scene: Scene) -> None:
    browser = scene.browser()
    first, second = browser.login(), browser.login(account="YA0003")
    assert second.finish().location == f"/result?attempt={second.attempt_id}"
    assert first.finish().location == f"/result?attempt={first.attempt_id}"
    assert {login.outcome()["status"] for login in (first, second)} == {"connected"}


# ------------------------------------------------------------------------------------------------------- cookies

# Cookie headers that hold the victim's key, or something like it, and are not the victim's cookie.
BENT: dict[str, Callable[[str, str], list[str]]] = {
    "empty": lambda _, __: ["brokerlink="],
    "without a value": lambda _, __: ["brokerlink"],
    "one character short": lambda key, _: [f"brokerlink={key[:-1]}"],
    "one character more": lambda key, _: [f"brokerlink={key}A"],
    "padded": lambda key, _: [f"brokerlink={key}="],
    "quoted": lambda key, _: [f'brokerlink="{key}"'],
    "encoded": lambda key, _: [f"brokerlink=%{ord(key[0]):02X}{key[1:]}"],
    "other case": lambda key, _: [f"brokerlink={key.swapcase()}"],
    "with a comma": lambda key, _: [f"brokerlink={key},x"],
    "the hash of the key": lambda _, digest: [f"brokerlink={digest}"],
    "name in another case": lambda key, _: [f"Brokerlink={key}"],
    "name with a space": lambda key, _: [f"brokerlink ={key}"],
    "name encoded": lambda key, _: [f"broker%6cink={key}"],
    "prefix of the name": lambda key, _: [f"brokerlin={key}"],
    "__Host- on plain http": lambda key, _: [f"__Host-brokerlink={key}"],
    "__host- in lower case": lambda key, _: [f"__host-brokerlink={key}"],
    "__Secure- lookalike": lambda key, _: [f"__Secure-brokerlink={key}"],
    "name that ends like ours": lambda key, _: [f"xbrokerlink={key}"],
    "cookie without a name": lambda key, _: [f"=brokerlink={key}"],
    "within another cookie": lambda key, _: [f"a=1,brokerlink={key}"],
    "as the links": lambda key, _: [f"brokerlink-links={key}"],
    "tossed: attacker's first": lambda key, _: [f"brokerlink={'A' * 43}; brokerlink={key}"],
    "tossed: attacker's last": lambda key, _: [f"brokerlink={key}; brokerlink={'A' * 43}"],
    "tossed: in a header of its own": lambda key, _: [f"brokerlink={key}", f"brokerlink={'A' * 43}"],
    "tossed: an empty one": lambda key, _: [f"brokerlink={key}; brokerlink="],
    "tossed: fifty": lambda key, _: [f"brokerlink={key}; " + "; ".join(f"brokerlink={n:043}" for n in range(50))],
}


@pytest.mark.parametrize("name", BENT)
def test_cookie_that_is_not_exactly_the_browsers_own(victim: Login, name: str) -> None:
    sent = [
        ("Cookie", each) for each in BENT[name](victim.browser.cookies["brokerlink"], victim.before["browser_hash"])
    ]
    assert_told_nothing(Browser(victim.scene).get(victim.callback, *sent), victim)
    victim.assert_untouched()


@pytest.mark.parametrize("header", ["X-Cookie", "Cookie2", "Set-Cookie", "X-Forwarded-Cookie", "Authorization"])
def test_cookie_in_a_header_that_is_none(victim: Login, header: str) -> None:
    key = victim.browser.cookies["brokerlink"]
    assert_told_nothing(Browser(victim.scene).get(victim.callback, (header, f"brokerlink={key}")), victim)
    victim.assert_untouched()


def test_cookie_in_the_query_is_none(victim: Login) -> None:
    key = victim.browser.cookies["brokerlink"]
    for query in (f"&brokerlink={key}", f"&cookie=brokerlink={key}", f"&browser_key={key}"):
        assert_told_nothing(Browser(victim.scene).get(victim.callback + query), victim)
    victim.assert_untouched()


@pytest.mark.parametrize("header", ["Cookie", "cookie", "COOKIE", "cOOkIE"])
def test_cookie_header_in_any_case_is_read(customer: Login, header: str) -> None:
    """Names of headers have no case: whoever is told so cannot be shut out by a proxy that writes them its own way."""
    sent = (header, f" a=b;brokerlink={customer.browser.cookies['brokerlink']};;  c=d ")
    assert Browser(customer.scene).get(customer.callback, sent).location == f"/result?attempt={customer.attempt_id}"


def test_cookies_too_large_for_the_gateway_do_not_reach_a_function(victim: Login) -> None:
    """Cookies that another page on this host left behind: the customer sees an error, and nothing is lost."""
    stuffed = ("Cookie", "; ".join(f"junk{n}={'x' * 100}" for n in range(100)))
    answer = victim.browser.get(victim.callback, stuffed)
    assert (answer.status, answer.ours) == (431, False)
    victim.assert_untouched()


def test_planted_cookie_is_not_kept_by_a_start_if_malformed(scene: Scene) -> None:
    for planted in ("", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 43 + "; brokerlink=" + "B" * 43):
        browser = Browser(scene, {"brokerlink": planted})
        browser.start()
        assert len(browser.cookies["brokerlink"]) == 43
        assert browser.cookies["brokerlink"] not in planted


def test_hostile_links_cookie_is_trusted_for_nothing(scene: Scene) -> None:
    for planted in (
        "pocketful.9999999999~<script>alert(1)</script>.9999999999",
        "pocketful.99999999999",
        "pocketful.-999999999",
        "pocketful.1e9",
        "<b>.9999999999",
        "~" * 200,
    ):
        page = scene.browser().get("/", ("Cookie", f"brokerlink-links={planted}"))
        assert page.status == 200
        assert "Linked until" not in page.text
        assert "<script" not in page.text


# ---------------------------------------------------------------------------------- results and retries of others


@pytest.mark.parametrize("wait", ["", "&wait=1"])
def test_result_of_another_browsers_attempt_is_unknown(customer: Login, attacker: Browser, wait: str) -> None:
    customer.finish()
    unknown = attacker.get(f"/result?attempt={'R' * 43}{wait}", JSON)
    for browser in (attacker, Browser(customer.scene)):
        answer = browser.get(f"/result?attempt={customer.attempt_id}{wait}", JSON)
        assert (answer.status, answer.json) == (404, {"status": "unknown"})
        assert answer.body == unknown.body
        page = browser.get(f"/result?attempt={customer.attempt_id}{wait}")
        assert page.status == 404
        assert not [hint for hint in (customer.attempt_id, ACCOUNT, MASKED, "Pocketful") if hint in page.text]


def test_retry_of_another_browsers_attempt_begins_nothing(scene: Scene, victim: Login, attacker: Browser) -> None:
    rows = scene.rows_made
    for browser in (attacker, scene.browser()):
        answer = browser.get(f"/authorize/pocketful?retry={victim.attempt_id}")
        assert (answer.status, answer.cookies) == (410, {})
    assert scene.rows_made == rows
    victim.assert_untouched()


def test_retry_at_another_broker_begins_nothing(scene: Scene, victim: Login) -> None:
    rows = scene.rows_made
    assert victim.browser.get(f"/authorize/fivepaisa?retry={victim.attempt_id}").status == 410
    assert scene.rows_made == rows
    victim.assert_untouched()


def test_replay_after_success_from_another_browser(customer: Login, attacker: Browser) -> None:
    customer.finish()
    for browser in (attacker, Browser(customer.scene)):
        assert_told_nothing(browser.get(customer.callback), customer)
    assert customer.scene.exchanges(customer.grant) == 1
    assert customer.outcome()["status"] == "connected"
