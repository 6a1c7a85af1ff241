"""GET /callback/fivepaisa: request tokens, which live for seconds."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from brokerlink.attempts import digest
from tests.kit.world import MIDNIGHT, MORNING, World, answer

WRONG_BROWSER = "/result?error=wrong_browser"


def request_token(**claims: Any) -> str:
    parts = ({"alg": "HS256"}, {"unique_name": "50052770", **claims})
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + ".sig"
    )


def fivepaisa(account: str = "50052770") -> list[Any]:
    token = request_token(unique_name=account, exp=MIDNIGHT - 1)
    return [answer({"head": {"Status": 0}, "body": {"Status": 0, "ClientCode": account, "AccessToken": token}})]


@pytest.mark.parametrize("name", ["RequestToken", "requesttoken", "request_token", "REQUEST_TOKEN"])
def test_fivepaisa_callback_in_any_spelling(the_world: World, name: str) -> None:
    browser = the_world.browser()
    state = browser.start("fivepaisa")
    the_world.http.script = fivepaisa()
    browser.get(f"/callback/fivepaisa?{name}={request_token(exp=MORNING + 30)}&State={state}")
    assert the_world.attempt()["status"] == "SUCCEEDED"
    (token,) = the_world.tokens()
    assert (token["account"], token["expires_at"]) == ("50052770", MIDNIGHT - 1)


@pytest.mark.parametrize(("after", "sent"), [(30, 1), (90, 1), (91, 0), (500, 0)])
def test_dead_request_token_is_expired_without_an_exchange(the_world: World, after: int, sent: int) -> None:
    browser = the_world.browser()
    state = browser.start("fivepaisa")
    token = request_token(exp=MORNING + 30)
    the_world.http.script = fivepaisa()
    the_world.clock.now += after
    browser.get(f"/callback/fivepaisa?RequestToken={token}&state={state}")
    assert len(the_world.http.sent) == sent
    assert the_world.attempt().get("error") == (None if sent else "expired")


def test_dead_request_token_in_the_wrong_browser_touches_nothing(the_world: World) -> None:
    browser, stranger = the_world.browser(), the_world.browser()
    state = browser.start("fivepaisa")
    before = the_world.attempt()
    stranger.start()
    token = request_token(exp=MORNING - 600)
    assert stranger.get(f"/callback/fivepaisa?RequestToken={token}&state={state}").location == WRONG_BROWSER
    assert before in the_world.attempts()
    assert digest(state) == before["attempt_id"]
