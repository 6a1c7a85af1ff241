"""GET /callback/{broker}: every end of a login, and every repeat."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from brokerlink.errors import FAILURES, Code
from tests.kit.situations import ACCOUNT, SITUATIONS, begin, begin_directly
from tests.kit.world import MIDNIGHT, MORNING, RETURN_TO, World, pocketful

# ---------------------------------------------------------------- a grant


@pytest.mark.parametrize(
    ("sent", "grant"),
    [("a+b", "a b"), ("a%2Bb", "a+b"), ("a%252Bb", "a%2Bb"), ("a%20b", "a b"), ("a%26b%3Dc", "a&b=c"), ("%7E!", "~!")],
)
def test_grant_is_decoded_once_and_sent_once_unchanged(the_world: World, sent: str, grant: str) -> None:
    login = begin_directly(the_world)
    the_world.http.script = list(pocketful())
    login.browser.get(f"/callback/pocketful?code={sent}&state={login.state}&scope=x")
    exchange, identity = the_world.http.sent
    assert parse_qs((exchange.body or b"").decode())["code"] == [grant]
    assert identity.method == "GET"


def test_exchange_carries_the_redirect_uri_of_the_start_whatever_the_settings_say_now(the_world: World) -> None:
    login = begin_directly(the_world)
    the_world.environment["BROKERLINK_BASE_URL"] = "https://moved.example.com"
    the_world.environment["BROKERLINK_CANONICAL_HOST"] = "false"
    the_world.build()
    login.come_back(*pocketful())
    form = parse_qs((the_world.http.sent[0].body or b"").decode())
    assert form["redirect_uri"] == ["https://login.example.com/callback/pocketful"]


def test_direct_login_ends_at_its_result(the_world: World) -> None:
    login = begin_directly(the_world)
    reply = login.come_back(*pocketful())
    assert (reply.status, reply.location) == (303, login.result)
    (token,) = the_world.tokens()
    assert (token["user_id"], token["expires_at"]) == (f"pocketful:{ACCOUNT}", MIDNIGHT)


@pytest.mark.parametrize("return_to", [RETURN_TO, RETURN_TO + "?a=%41+&b", RETURN_TO + "/x?"])
def test_login_with_return_to_ends_there_with_its_outcome(the_world: World, return_to: str) -> None:
    for parameters, outcome in (({}, "connected"), ({"error": "access_denied"}, "failed")):
        login = begin(the_world, account=ACCOUNT, return_to=return_to)
        reply = login.come_back(*pocketful(), **parameters)
        assert reply.status == 303
        assert reply.location.startswith(return_to)
        added = f"status={outcome}&broker=pocketful&attempt={login.attempt_id}"
        assert reply.location.endswith(added + ("&error=denied" if parameters else ""))
        assert login.state not in reply.location
        assert "canary-code" not in reply.location


def test_login_without_account_is_held_for_the_platform(the_world: World) -> None:
    login = begin(the_world)
    reply = login.come_back(*pocketful())
    assert reply.location == f"{RETURN_TO}?status=confirm&broker=pocketful&attempt={login.attempt_id}"
    row = login.row()
    assert (row["status"], row["held_until"], row["account"]) == ("HELD", MORNING + 600, ACCOUNT)
    assert the_world.tokens() == []
    assert reply.payload["cookies"] == []


def test_return_to_in_the_callback_is_ignored(the_world: World) -> None:
    login = begin_directly(the_world)
    reply = login.come_back(
        *pocketful(), code="c", return_to="https://evil.example/", redirect_uri="https://evil.example"
    )
    assert reply.location == login.result


def test_success_is_remembered_by_the_browser(the_world: World) -> None:
    login = begin_directly(the_world, return_to=RETURN_TO)
    (cookie,) = login.come_back(*pocketful()).payload["cookies"]
    assert cookie == (
        f"__Host-brokerlink-links=pocketful.{MIDNIGHT}; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax; Secure"
    )


def test_wrong_account_ends_the_login_and_leaves_the_token_that_is_there(the_world: World) -> None:
    begin(the_world, account=ACCOUNT).come_back(*pocketful(ACCOUNT))
    before = the_world.tokens()
    login = begin(the_world, account=ACCOUNT)
    login.come_back(*pocketful("YA0003"))
    assert login.row()["error"] == "account_mismatch"
    assert the_world.tokens() == before


# ---------------------------------------------------------------- neither grant nor error, and errors


@pytest.mark.parametrize("query", ["", "&error=", "&scope=orders", "&error_description=x", "&Code=c"])
def test_state_alone_fails_the_attempt(the_world: World, query: str) -> None:
    login = begin_directly(the_world)
    reply = login.browser.get(f"/callback/pocketful?state={login.state}{query}")
    assert reply.location == login.result
    assert (login.row()["status"], login.row()["error"]) == ("FAILED", "invalid_request")
    assert "code_verifier" not in login.row()
    assert the_world.http.sent == []


def test_state_alone_fails_the_attempt_at_fivepaisa(the_world: World) -> None:
    browser = the_world.browser()
    state = browser.start("fivepaisa")
    browser.get(f"/callback/fivepaisa?state={state}")
    assert the_world.attempt()["error"] == "invalid_request"


ERRORS = {
    "access_denied": "denied",
    "request_denied": "denied",
    "login_required": "denied",
    "consent_required": "denied",
    "interaction_required": "denied",
    "server_error": "broker_unavailable",
    "temporarily_unavailable": "broker_unavailable",
    "invalid_request": "app_misconfigured",
    "invalid_scope": "app_misconfigured",
    "invalid_state": "app_misconfigured",
    "unauthorized_client": "app_misconfigured",
    "unsupported_response_type": "app_misconfigured",
    "made_up": "broker_error",
    "ACCESS_DENIED": "broker_error",
    "%3Cscript%3E": "broker_error",
    "x" * 4096: "broker_error",
}


@pytest.mark.parametrize(("error", "code"), ERRORS.items())
def test_error_callback_fails_the_attempt_with_its_code(
    the_world: World, capsys: pytest.CaptureFixture[str], error: str, code: str
) -> None:
    login = begin_directly(the_world, return_to=RETURN_TO)
    capsys.readouterr()
    target = f"/callback/pocketful?error={error}&state={login.state}&error_description=canary&error_uri=canary"
    reply = login.browser.get(target)
    assert reply.query == {
        "status": "failed",
        "broker": "pocketful",
        "attempt": login.attempt_id,
        "error": code,
    }
    assert login.row()["error"] == code
    assert the_world.http.sent == []
    metric = json.loads(capsys.readouterr().out)
    assert metric[FAILURES[Code(code)].metric] == [1.0]
    line = the_world.lines()[-1]
    assert line["level"] == ("ERROR" if code == "app_misconfigured" else "INFO")
    assert "canary" not in the_world.log.getvalue()
    assert "script" not in the_world.log.getvalue()


def test_error_after_the_deadline_is_expired(the_world: World) -> None:
    login = begin_directly(the_world)
    the_world.clock.now += 600
    login.come_back(error="access_denied")
    assert login.row()["error"] == "expired"


# ---------------------------------------------------------------- repeats


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "pending"])
@pytest.mark.parametrize("parameters", [{"code": "again"}, {"error": "access_denied"}, {"x": "y"}])
def test_repeat_tells_the_situation_and_exchanges_nothing(
    the_world: World, situation: str, parameters: dict[str, str]
) -> None:
    login, expected = begin(the_world), SITUATIONS[situation]
    expected.bring(login)
    before, sent = login.row(), len(the_world.http.sent)
    reply = login.come_back(**parameters)
    assert reply.status == 303
    assert len(the_world.http.sent) == sent
    if expected.standing == "in_progress":
        assert reply.location == f"{login.result}&wait=1"
    else:
        error = {"error": expected.error} if expected.error else {}
        outcome = {"status": expected.standing, "broker": "pocketful", "attempt": login.attempt_id}
        assert reply.query == outcome | error
    # What the clock had decided is written now; anything else is left as it was.
    after = login.row()
    if situation in {"expired", "claim run out", "hold run out"}:
        assert (after["status"], after["error"]) == ("FAILED", expected.error)
        assert after.keys().isdisjoint({"ciphertext", "code_verifier"})
    else:
        assert after == before


def test_failed_is_final(the_world: World) -> None:
    login = begin_directly(the_world)
    login.come_back(error="access_denied")
    for _ in range(3):
        login.come_back(*pocketful())
    assert the_world.http.sent == []
    assert login.row()["error"] == "denied"


def test_deadline_of_the_attempt_is_to_the_second(the_world: World) -> None:
    early, late = begin_directly(the_world), begin_directly(the_world)
    the_world.clock.now += 599.9
    early.come_back(*pocketful())
    the_world.clock.now += 0.1
    late.come_back(*pocketful())
    assert early.row()["status"] == "SUCCEEDED"
    assert late.row()["error"] == "expired"
    assert len(the_world.http.sent) == 2
