"""Every secret in every place that is not its own: one that leaks is worth nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brokerlink.attempts import digest
from tests.attacks.over_http.scene import ACCOUNT, Browser, Login

SECRETS: dict[str, Callable[[Login], str]] = {
    "state": lambda it: it.state,
    "attempt id": lambda it: it.attempt_id,
    "hash of the attempt id": lambda it: digest(it.attempt_id),
    "browser key": lambda it: it.browser.cookies["brokerlink"],
    "hash of the browser key": lambda it: str(it.before["browser_hash"]),
    "code verifier": lambda it: str(it.before["code_verifier"]),
    "session": lambda it: it.scene.session(account=ACCOUNT, user_id="confused").rpartition("=")[2],
    "hash of a session": lambda it: digest(it.scene.session(account=ACCOUNT, user_id="confused").rpartition("=")[2]),
    "key of a session's row": lambda it: (
        "session%23" + digest(it.scene.session(account=ACCOUNT, user_id="confused").rpartition("=")[2])
    ),
    "grant": lambda it: it.grant,
}


def as_state(login: Login, secret: str) -> None:
    answer = login.browser.get(f"{login.path}?code={login.grant}&state={secret}")
    assert answer.status == 400


def as_cookie(login: Login, secret: str) -> None:
    answer = Browser(login.scene).get(login.callback, ("Cookie", f"brokerlink={secret}"))
    assert answer.location == "/result?error=wrong_browser"


def as_session(login: Login, secret: str) -> None:
    assert login.browser.get(f"/authorize/pocketful?session={secret}").status in {400, 410}


def as_retry(login: Login, secret: str) -> None:
    assert login.browser.get(f"/authorize/pocketful?retry={secret}").status in {400, 410}


def as_result(login: Login, secret: str) -> None:
    assert login.browser.get(f"/result?attempt={secret}").status == 404


def as_attempt(login: Login, secret: str) -> None:
    assert login.scene.backend("GET", f"/attempts/{secret}").status == 404


def as_confirmed(login: Login, secret: str) -> None:
    for user in ("asha", "confused", ""):
        assert login.scene.confirm(secret.replace("%23", "#"), user).status == 404


PLACES = {
    "state": as_state,
    "cookie": as_cookie,
    "session": as_session,
    "retry": as_retry,
    "result": as_result,
    "attempt": as_attempt,
    "confirm": as_confirmed,
}
OWN_PLACES = {
    "state": {"state"},
    "browser key": {"cookie"},
    "session": {"session"},
    # Of its own browser, and of the platform's backend: what it names there is the victim's to see.
    "attempt id": {"retry", "result", "attempt"},
}


@pytest.mark.parametrize(
    ("secret", "place"),
    [(secret, place) for secret in SECRETS for place in PLACES if place not in OWN_PLACES.get(secret, ())],
)
def test_secret_is_worth_nothing_in_anothers_place(victim: Login, secret: str, place: str) -> None:
    value = SECRETS[secret](victim)
    rows = victim.scene.rows_made
    PLACES[place](victim, value)
    assert victim.scene.rows_made == rows
    victim.assert_untouched()
