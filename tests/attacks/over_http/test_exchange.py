"""What reaches the broker's token endpoint and what comes back: injected grants, wrong accounts, brokers that fail."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest

from local.simulators import demo_clients
from tests.attacks.over_http.scene import ACCOUNT, Login, Scene
from tests.simulators.walk import log_in


def request_token(**claims: object) -> str:
    """Make a request token of one's own: nobody without 5paisa's key can check its signature."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({}, claims)]
    return ".".join([*parts, "c2lnbmF0dXJl"])


# ---------------------------------------------------------------------------------------- grants of somebody else


def test_code_injection_attackers_code_in_the_victims_callback(scene: Scene, customer: Login) -> None:
    """The attacker's code, with the victim's state in the victim's browser: PKCE ties a code to its own attempt."""
    attackers = scene.browser().login(account="YA0003")
    customer.browser.get(customer.callback.replace(customer.grant, attackers.grant))
    assert customer.outcome()["error"] == "grant_rejected"
    assert customer.scene.exchanges(customer.grant) == 0


def test_code_injection_victims_code_in_the_attackers_callback(scene: Scene, customer: Login) -> None:
    attackers = scene.browser().login(scene.session(user_id="mallory", return_to=f"{scene.return_to}return"))
    end = attackers.browser.get(attackers.callback.replace(attackers.grant, customer.grant))
    assert end.query["error"] == "grant_rejected"
    assert scene.confirm(attackers.attempt_id, "mallory").status == 404
    assert scene.token("mallory") is None


def test_request_token_of_a_victim_in_ones_own_callback_is_a_mismatch(scene: Scene) -> None:
    victim = scene.browser().login("/authorize/fivepaisa", account="50052771")
    attackers = scene.browser().login(scene.session(broker="fivepaisa", user_id="mallory", account="50052770"))
    attackers.browser.get(attackers.callback.replace(attackers.grant, victim.grant))
    assert attackers.outcome()["error"] == "account_mismatch"
    for account in ("50052770", "50052771"):
        assert scene.token("mallory", "fivepaisa", account) is None


def test_session_that_could_take_a_victims_request_token_is_not_made(scene: Scene) -> None:
    rows = scene.rows_made
    body = {"broker": "fivepaisa", "user_id": "mallory", "return_to": f"{scene.return_to}return"}
    assert scene.backend("POST", "/sessions", body).status == 400
    assert scene.rows_made == rows


def test_grant_of_another_broker_is_refused_by_its_own(scene: Scene, customer: Login) -> None:
    fivepaisa = scene.browser().login("/authorize/fivepaisa")
    customer.browser.get(customer.callback.replace(customer.grant, fivepaisa.grant))
    assert customer.outcome()["error"] == "grant_rejected"
    fivepaisa.finish()
    assert fivepaisa.outcome()["status"] == "connected"


@pytest.mark.parametrize("broker", ["pocketful", "fivepaisa"])
def test_made_up_grant_is_rejected_without_an_alarm(scene: Scene, broker: str) -> None:
    login = scene.browser().login(f"/authorize/{broker}")
    told = scene.mark()
    login.browser.get(login.callback.replace(login.grant, "made-up"))
    assert login.outcome()["error"] == "grant_rejected"
    assert "ERROR" not in [line.get("level") for line in scene.lines(told, "grant_rejected")]


# ------------------------------------------------------------------------------------------------ wrong accounts


@pytest.mark.parametrize(
    ("broker", "account", "other"), [("pocketful", ACCOUNT, "YA0003"), ("fivepaisa", "50052770", "50052771")]
)
def test_account_swap_ends_as_a_mismatch_and_leaves_the_token(
    scene: Scene, broker: str, account: str, other: str
) -> None:
    user = f"swapped-{broker}"
    scene.browser().login(scene.session(broker=broker, user_id=user, account=account), account=account).finish()
    kept = scene.token(user, broker, account)
    assert kept is not None
    swapped = scene.browser().login(scene.session(broker=broker, user_id=user, account=account), account=other)
    swapped.finish()
    assert swapped.outcome()["error"] == "account_mismatch"
    assert scene.token(user, broker, account) == kept
    assert scene.token(user, broker, other) is None


@pytest.mark.parametrize("account", ["ya0002", "YA00020", "YA000", "YA0002.", "YA-0002"])
def test_account_that_is_nearly_the_named_one_is_another(scene: Scene, account: str) -> None:
    login = scene.browser().login(scene.session(user_id="nearly", account=account))
    login.finish()
    assert login.outcome()["error"] == "account_mismatch"
    assert scene.token("nearly") is None


# ------------------------------------------------------------------------------------------ what the broker is sent


def test_secret_with_reserved_characters_reaches_the_broker_as_it_is(customer: Login) -> None:
    customer.finish()
    exchange = customer.scene.exchange_of(customer)
    credentials = base64.b64decode(exchange.headers["Authorization"].removeprefix("Basic ")).decode("ascii")
    (client,) = demo_clients().pocketful
    assert set(":+%/ í") & set(client.client_secret) == set(":+%/ í")
    assert [unquote_plus(each) for each in credentials.split(":")] == [client.client_id, client.client_secret]


def test_pkce_challenge_is_sent_and_its_verifier_is_the_attempts_own(scene: Scene) -> None:
    browser = scene.browser()
    broker_url = browser.start()
    sent = parse_qs(urlsplit(broker_url).query)
    login = Login(scene, browser, scene.walker.at_broker(broker_url).removeprefix(scene.stack.base_url))
    verifier = login.row()["code_verifier"]
    assert sent["code_challenge_method"] == ["S256"]
    assert verifier not in broker_url
    login.finish()
    exchange = scene.exchange_of(login)
    assert parse_qs(exchange.body or "")["code_verifier"] == [verifier]
    assert "code_verifier" not in login.row()


def test_fivepaisas_parameters_are_encoded_once(scene: Scene) -> None:
    broker_url = scene.browser().start("/authorize/fivepaisa")
    sent = parse_qs(urlsplit(broker_url).query, strict_parsing=True)
    assert sent["ResponseURL"] == [f"{scene.stack.base_url}/callback/fivepaisa"]
    assert "%25" not in broker_url
    assert len(sent["State"][0]) == 43


def test_fivepaisas_secrets_are_in_the_exchanges_body_alone(scene: Scene) -> None:
    login = scene.browser().login("/authorize/fivepaisa")
    login.finish()
    (vendor,) = demo_clients().fivepaisa
    exchange = scene.exchange_of(login)
    elsewhere = str(
        [
            each
            for each in scene.stack.simulators.recorder.requests()
            if each is not exchange and each.endpoint != "token"
        ]
    )
    logs = "".join(file.read_text() for file in scene.stack.log_folder.iterdir())
    for secret in (vendor.encryption_key, vendor.user_id):
        assert secret in (exchange.body or "")
        assert secret not in exchange.query + str(exchange.headers) + elsewhere + logs


# --------------------------------------------------------------------------------------------- request tokens by time


def test_request_token_with_two_seconds_left_is_sent_at_once(scene: Scene) -> None:
    login = scene.browser().login("/authorize/fivepaisa")
    token = request_token(exp=int(time.time()) + 2)
    login.browser.get(login.callback.replace(login.grant, token))
    assert scene.exchanges(token) == 1
    assert login.outcome()["error"] == "grant_rejected"


@pytest.mark.parametrize("exp", [1, 1.5, 1_000_000_000])
def test_request_token_that_is_past_is_not_sent(scene: Scene, exp: float) -> None:
    login = scene.browser().login("/authorize/fivepaisa")
    token = request_token(exp=exp)
    login.browser.get(login.callback.replace(login.grant, token))
    outcome = login.outcome()
    assert (outcome["error"], scene.exchanges(token)) == ("expired", 0)
    again = login.browser.login(outcome["retry_url"].removeprefix(scene.stack.base_url))
    again.finish()
    assert again.outcome()["status"] == "connected"


@pytest.mark.parametrize(
    "token",
    [
        request_token(exp=10**10),
        request_token(exp=10**40),
        request_token(exp="1"),
        request_token(exp=True),
        request_token(exp=-1),
        request_token(exp=None),
        request_token(exp=[1]),
        "e30.WzFd.x",
        "e30." + base64.urlsafe_b64encode(b"[" * 2_900).decode().rstrip("=") + ".x",
        "e30." + base64.urlsafe_b64encode(b'{"exp":1e999}').decode().rstrip("=") + ".x",
        "e30." + base64.urlsafe_b64encode(b'{"exp":NaN}').decode().rstrip("=") + ".x",
        "e30." + base64.urlsafe_b64encode(b'{"exp":1,"exp":9}').decode().rstrip("=") + ".x",
        "....",
        "e30.====.x",
        "not.a.jwt",
    ],
    ids=lambda token: token[:24],
)
def test_request_token_whose_expiry_is_odd_is_the_brokers_to_judge(scene: Scene, token: str) -> None:
    login = scene.browser().login("/authorize/fivepaisa")
    login.browser.get(login.callback.replace(login.grant, token))
    assert scene.exchanges(token) == 1
    assert login.outcome()["error"] == "grant_rejected"


# ------------------------------------------------------------------------------------------------- brokers that fail


@pytest.mark.parametrize("target", ["/authorize/nowhere"])
def test_broker_that_cannot_be_reached_consumes_nothing(scene: Scene, target: str) -> None:
    browser = scene.browser()
    state = parse_qs(urlsplit(browser.start(target)).query)["state"][0]
    login = Login(scene, browser, f"/callback/nowhere?code=c&state={state}")
    before = login.row()
    answer = browser.get(login.callback, unavailable=True)
    assert answer.status == 503
    assert state not in answer.text
    assert login.row() == before


def test_html_of_a_failing_broker_is_neither_shown_nor_logged(customer: Login) -> None:
    customer.scene.walker.fault("pocketful", "token", "status:502")
    told = customer.scene.mark()
    shown = customer.browser.get(customer.finish().location).text
    assert customer.outcome()["error"] == "broker_unavailable"
    for place in (shown, str(customer.scene.lines(told, "broker_unavailable"))):
        assert "simulator" not in place
    assert customer.scene.exchanges(customer.grant) == 1


def test_wait_that_the_broker_asks_for_is_told(customer: Login) -> None:
    customer.scene.walker.fault("pocketful", "token", "status:429")
    shown = customer.browser.get(customer.finish().location).text
    assert customer.outcome()["error"] == "broker_unavailable"
    assert customer.row()["retry_at"] > time.time() + 30
    assert "IST" in shown


def test_redirecting_token_endpoint_is_not_followed(customer: Login) -> None:
    customer.scene.walker.fault("pocketful", "token", "status:307", times=2)
    customer.finish()
    assert customer.outcome()["error"] == "broker_error"
    assert customer.scene.exchanges(customer.grant) == 1
    customer.scene.walker.fault("pocketful", "token", "hang", times=0)


def test_login_page_answered_twice_yields_one_code(scene: Scene) -> None:
    """A double click at the broker: whichever answer the browser follows, one exchange."""
    browser = scene.browser()
    broker_url = browser.start()
    callbacks = {log_in(broker_url).headers["location"] for _ in range(2)}
    logins = [Login(scene, browser, each.removeprefix(scene.stack.base_url)) for each in callbacks]
    for login in logins:
        login.finish()
    assert sum(scene.exchanges(login.grant) for login in logins) == 1
    assert logins[0].outcome()["status"] == "connected"
