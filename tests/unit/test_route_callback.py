"""GET and POST /callback/{broker}: the order of refusals, the bounce of posted forms, and every end."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.attempts import digest
from brokerlink.errors import FAILURES, Code
from brokerlink.outbound import NoAnswer, NotSent
from tests.kit.situations import ACCOUNT, SITUATIONS, USER, Login, begin, begin_directly
from tests.kit.world import APPS, MIDNIGHT, MORNING, RETURN_TO, SECRETS, Context, Reply, World, answer, pocketful, world

FORM = "application/x-www-form-urlencoded"
STRANGE = "Z" * 43
DOWN = EndpointConnectionError(endpoint_url="https://aws")
WRONG_BROWSER = "/result?error=wrong_browser"


@pytest.fixture
def the_world() -> Iterator[World]:
    with world() as made:
        yield made


def post(the_world: World, body: str, broker: str = "pocketful", content_type: str = FORM, **more: Any) -> Reply:
    return the_world.request("POST", f"/callback/{broker}", headers={"content-type": content_type}, body=body, **more)


def finish(login: Login) -> None:
    """The genuine callback, which nothing before may have harmed."""
    login.come_back(*pocketful(ACCOUNT))
    assert login.row()["status"] in {"SUCCEEDED", "HELD"}


def assert_untouched(login: Login, before: dict[str, Any]) -> None:
    assert login.row() == before
    assert login.world.http.sent == []
    finish(login)


def assert_malformed(reply: Reply) -> None:
    assert reply.status == 400
    assert FAILURES[Code.INVALID_REQUEST].text in reply.body
    assert reply.payload["cookies"] == []


# ---------------------------------------------------------------- 1 a malformed callback is a 400 page

MALFORMED = {
    "nothing at all": "",
    "no state": "code=c",
    "empty state": "code=c&state=",
    "state in another case of its name": "code=c&STATE={state}",
    "state cut": "code=c&state={state}X",
    "state of 10 kB": "code=c&state=" + "s" * 10_000,
    "state with NUL": "code=c&state={state}%00",
    "state with a line break": "code=c&state={state}%0D%0A",
    "state twice": "code=c&state={state}&state={state}",
    "state joined by a comma": "code=c&state={state},{state}",
    "code twice": "code=c&code=d&state={state}",
    "code twice, spelt differently": "code=c&%63ode=c&state={state}",
    "unread parameter twice": "code=c&state={state}&x=1&x=1",
    "empty code": "code=&state={state}",
    "code over 4,096 bytes": "code=" + "c" * 4097 + "&state={state}",
    "code not printable": "code=%07&state={state}",
    "code not ASCII": "code=%C3%A9&state={state}",
    "code not UTF-8": "code=%FF&state={state}",
    "unread parameter not UTF-8": "code=c&state={state}&x=%FF",
    "error not ASCII": "error=%C3%A9&state={state}",
    "error twice": "error=access_denied&error=access_denied&state={state}",
    "error with an empty state": "error=access_denied&state=",
    "error with an empty code": "error=access_denied&code=&state={state}",
}


@pytest.mark.parametrize("query", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("cookie", ["right", "other", "none", "malformed"])
def test_malformed_callback_is_the_400_page_whatever_the_cookie_and_touches_nothing(
    the_world: World, query: str, cookie: str
) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.calls.clear()
    key = login.browser.cookies["__Host-brokerlink"]
    cookies = {
        "right": [f"__Host-brokerlink={key}"],
        "other": ["__Host-brokerlink=" + "A" * 43],
        "none": [],
        "malformed": [f"__Host-brokerlink={key}="],
    }[cookie]
    reply = the_world.request("GET", "/callback/pocketful?" + query.format(state=login.state), cookies=cookies)
    assert_malformed(reply)
    assert the_world.calls == []
    assert_untouched(login, before)


def test_missing_and_malformed_state_are_counted_apart(the_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    browser = the_world.browser()
    for query, metric in (("code=c", "state_missing"), ("state=", "state_missing"), ("state=x", "invalid_request")):
        capsys.readouterr()
        browser.get(f"/callback/pocketful?{query}")
        assert json.loads(capsys.readouterr().out)[metric] == [1.0]


# ---------------------------------------------------------------- 2 no well-formed cookie: the wrong browser


@pytest.mark.parametrize("genuine", [True, False])
@pytest.mark.parametrize("query", ["code=c", "error=access_denied", "", "code=c&error=server_error"])
@pytest.mark.parametrize(
    "cookies",
    [
        [],
        ["__Host-brokerlink="],
        ["__Host-brokerlink={key}="],
        ["__Host-brokerlink=short"],
        ["brokerlink={key}"],
        ["__Host-brokerlink={key}", "__Host-brokerlink=" + "A" * 43],
    ],
)
def test_no_well_formed_cookie_is_the_wrong_browser_before_dynamodb_is_asked(
    the_world: World, cookies: list[str], query: str, *, genuine: bool
) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.calls.clear()
    key = login.browser.cookies["__Host-brokerlink"]
    target = f"/callback/pocketful?{query}&state={login.state if genuine else STRANGE}"
    reply = the_world.request("GET", target, cookies=[cookie.format(key=key) for cookie in cookies])
    assert (reply.status, reply.location) == (303, WRONG_BROWSER)
    assert reply.payload["cookies"] == []
    assert the_world.calls == []
    assert_untouched(login, before)


# ---------------------------------------------------------------- 3 a state that is unknown here: the same 400 page


def test_unknown_state_and_another_brokers_are_the_malformed_page_byte_for_byte(the_world: World) -> None:
    login = begin_directly(the_world)
    before = login.row()
    malformed = login.browser.get("/callback/pocketful?code=c")
    assert_malformed(malformed)
    flipped = ("A" if login.state[0] != "A" else "B") + login.state[1:]
    assert login.state.swapcase() != login.state
    for state in (STRANGE, flipped, login.state.swapcase()):
        for query in ("code=c", "error=access_denied", "x=y"):
            assert login.browser.get(f"/callback/pocketful?{query}&state={state}").payload == malformed.payload
    other = login.browser.get(f"/callback/fivepaisa?RequestToken=c&state={login.state}")
    assert other.payload == malformed.payload
    assert_untouched(login, before)


def test_another_brokers_state_is_unknown_in_the_wrong_browser_too(the_world: World) -> None:
    login = begin_directly(the_world)
    stranger = the_world.browser()
    stranger.start()
    assert_malformed(stranger.get(f"/callback/fivepaisa?RequestToken=c&state={login.state}"))


def test_sessions_row_is_no_attempt(the_world: World) -> None:
    prepared = the_world.session(broker="pocketful", user_id=USER, account=ACCOUNT)
    browser = the_world.browser()
    browser.start()
    secret = str(prepared.json["start_url"]).rpartition("=")[2]
    before = the_world.attempts()
    assert_malformed(browser.come_back(secret))
    assert the_world.attempts() == before


@pytest.mark.parametrize("fault", ["GetSecretValue", "malformed secret"])
def test_unknown_state_is_unknown_while_the_secret_is_missing_too(the_world: World, fault: str) -> None:
    browser = the_world.browser()
    browser.start()
    if fault == "GetSecretValue":
        the_world.faults[fault] = DOWN
    else:
        the_world.secretsmanager.put_secret_value(SecretId=the_world.secret, SecretString="{}")
    assert_malformed(browser.come_back(STRANGE))


# ---------------------------------------------------------------- 4 a known state in the wrong browser


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("query", [{"code": "forged"}, {"error": "access_denied"}, {"x": "y"}])
def test_wrong_browser_learns_nothing_and_touches_nothing(
    the_world: World, situation: str, query: dict[str, str]
) -> None:
    login = begin(the_world)
    SITUATIONS[situation].bring(login)
    before, sent = the_world.attempts(), len(the_world.http.sent)
    attacker = the_world.browser()
    attacker.start()
    (begun,) = [row for row in the_world.attempts() if row not in before]
    reply = attacker.come_back(login.state, **query)
    assert (reply.status, reply.location) == (303, WRONG_BROWSER)
    assert reply.payload["cookies"] == []
    assert len(the_world.http.sent) == sent
    assert sorted(the_world.attempts(), key=str) == sorted([*before, begun], key=str)
    shown = attacker.get(reply.location)
    assert shown.status == 200
    for hint in (login.attempt_id, login.attempt_id[:8], "Pocketful", "pocketful", ACCOUNT, "YA", RETURN_TO, USER):
        assert hint not in shown.body.replace("/authorize/pocketful", "")
    if situation == "pending":
        finish(login)


# ---------------------------------------------------------------- no broker there


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_broker_is_404_and_not_echoed(the_world: World, method: str) -> None:
    target = f"/callback/%3Cscript%3E?code=c&state={STRANGE}"
    reply = the_world.request(method, target, headers={"content-type": FORM}, body="a=b")
    assert reply.status == 404
    assert "<script>" not in reply.body
    assert the_world.calls == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_broker_switched_off_after_the_start_is_told_politely_and_nothing_is_touched(
    the_world: World, method: str
) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.environment["BROKERLINK_BROKER_APPS"] = json.dumps({**APPS, "pocketful": {}})
    the_world.build()
    the_world.calls.clear()
    reply = login.browser.request(
        method, f"/callback/pocketful?code=c&state={login.state}", headers={"content-type": FORM}, body=""
    )
    assert reply.status == 503
    assert FAILURES[Code.APP_MISCONFIGURED].text in reply.body
    assert the_world.calls == []
    assert the_world.lines()[-1]["setting"] == "BrokerApps.pocketful.client_id"
    the_world.environment["BROKERLINK_BROKER_APPS"] = json.dumps(APPS)
    the_world.build()
    assert_untouched(login, before)


# ---------------------------------------------------------------- prefetch and HEAD


@pytest.mark.parametrize("header", ["sec-purpose", "purpose"])
def test_prefetch_consumes_nothing(the_world: World, header: str) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.calls.clear()
    target = f"/callback/pocketful?code=c&state={login.state}"
    assert login.browser.get(target, **{header: "prefetch"}).status == 503
    assert the_world.calls == []
    assert_untouched(login, before)


def test_head_consumes_nothing(the_world: World) -> None:
    login = begin_directly(the_world)
    before = login.row()
    function, event = the_world.event("GET", f"/callback/pocketful?code=c&state={login.state}")
    event["requestContext"]["http"]["method"] = "HEAD"
    event["cookies"] = [f"{name}={value}" for name, value in login.browser.cookies.items()]
    assert Reply(the_world.functions[function](event, Context())).status == 404
    assert_untouched(login, before)


# ---------------------------------------------------------------- a posted form bounces


@pytest.mark.parametrize("cookies", [[], ["__Host-brokerlink=" + "A" * 43], ["__Host-brokerlink=bad"]])
@pytest.mark.parametrize(
    ("body", "query"),
    [
        ("code=a&state=s", {"code": ["a"], "state": ["s"]}),
        ("code=a%2Bb+c&state=s", {"code": ["a+b c"], "state": ["s"]}),
        ("code=%2526&state=s", {"code": ["%26"], "state": ["s"]}),
        ("code=a&state=s&scope=x&error_description=%3Cb%3E&session_state=y", {"code": ["a"], "state": ["s"]}),
        ("error=access_denied&state=s", {"error": ["access_denied"], "state": ["s"]}),
        ("iss=https%3A%2F%2Fx&state=s", {"iss": ["https://x"], "state": ["s"]}),
        ("state=" + STRANGE, {"state": [STRANGE]}),
        ("code=" + "x" * 4096 + "&state=s", {"code": ["x" * 4096], "state": ["s"]}),
        ("unread=1", {}),
        ("", {}),
    ],
)
def test_posted_form_bounces_to_its_get_form_before_cookie_and_state_are_looked_at(
    the_world: World, cookies: list[str], body: str, query: dict[str, list[str]]
) -> None:
    reply = post(the_world, body, cookies=cookies)
    assert reply.status == 303
    parts = urlsplit(reply.location)
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/callback/pocketful")
    assert parse_qs(parts.query, strict_parsing=bool(parts.query)) == query
    assert reply.payload["cookies"] == []
    assert the_world.calls == []


def test_bounce_reads_what_this_broker_reads(the_world: World) -> None:
    reply = post(the_world, "requesttoken=a&State=s&code=c&error=e", broker="fivepaisa")
    assert parse_qs(urlsplit(reply.location).query) == {"RequestToken": ["a"], "state": ["s"]}


def test_bounce_ignores_the_query_of_the_post(the_world: World) -> None:
    reply = the_world.request(
        "POST", f"/callback/pocketful?code=q&state={STRANGE}", headers={"content-type": FORM}, body="code=b&state=s"
    )
    assert reply.location == "/callback/pocketful?code=b&state=s"


def test_bounce_stays_below_stage_and_path() -> None:
    with world(BROKERLINK_BASE_URL="https://www.example.com/brokers") as made:
        assert post(made, "state=s").location == "/brokers/callback/pocketful?state=s"
    with world(BROKERLINK_BASE_URL="") as made:
        made.stage = "prod"
        assert post(made, "state=s").location == "/prod/callback/pocketful?state=s"


def test_bounce_of_a_base64_body(the_world: World) -> None:
    function, event = the_world.event("POST", "/callback/pocketful", headers={"content-type": FORM})
    event |= {"body": base64.b64encode(b"code=a%2Bb&state=s").decode(), "isBase64Encoded": True}
    assert Reply(the_world.functions[function](event, Context())).location == "/callback/pocketful?code=a%2Bb&state=s"


@pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=UTF-8", f"{FORM};charset=iso-8859-1"])
def test_form_is_a_form_in_any_spelling(the_world: World, content_type: str) -> None:
    assert post(the_world, "state=s", content_type=content_type).status == 303


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "application/x-www-form-urlencodedx",
        "text/html, application/x-www-form-urlencoded",
    ],
)
def test_any_other_body_is_415_and_touches_nothing(the_world: World, content_type: str) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.calls.clear()
    cookies = [f"{name}={value}" for name, value in login.browser.cookies.items()]
    reply = post(the_world, f"code=c&state={login.state}", content_type=content_type, cookies=cookies)
    assert reply.status == 415
    assert the_world.calls == []
    assert_untouched(login, before)


@pytest.mark.parametrize(
    "body",
    [
        "code=" + "c" * 4097 + "&state=s",
        "state=" + "s" * 4097,
        "code=" + "%25" * 3_000 + "&state=s",
        "code=%00&state=s",
        "code=%0D%0ASet-Cookie:x&state=s",
        "code=%C3%A9&state=s",
        "code=é&state=s",
        "code=%FF&state=s",
        "code=a&code=b&state=s",
        "state=s&state=s",
        "unread=1&unread=2&state=s",
        "unread=%FF&state=s",
        "error=%1B&state=s",
    ],
)
def test_posted_form_over_the_limits_of_the_get_is_the_400_page(the_world: World, body: str) -> None:
    assert_malformed(post(the_world, body))
    assert the_world.calls == []


def test_location_of_a_bounce_fits_through_the_gateway(the_world: World) -> None:
    for body in ("code=" + "x" * 4096 + "&state=" + "s" * 43, "code=" + "%25" * 1_900 + "&state=" + "s" * 43):
        reply = post(the_world, body)
        assert reply.status == 303
        assert len(reply.location) < 6_200


def test_posted_callback_finishes_after_its_bounce(the_world: World) -> None:
    login = begin_directly(the_world)
    the_world.http.script = list(pocketful())
    bounce = post(the_world, urlencode({"code": "a+b/c d", "state": login.state}))
    reply = login.browser.get(bounce.location)
    assert reply.location == login.result
    assert parse_qs((the_world.http.sent[0].body or b"").decode())["code"] == ["a+b/c d"]


def test_get_never_bounces(the_world: World) -> None:
    login = begin_directly(the_world)
    target = f"/callback/pocketful?code=c&state={login.state}"
    reply = the_world.request("GET", target, headers={"content-type": FORM})
    assert reply.location == WRONG_BROWSER


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


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("parameters", [{"code": "again"}, {"error": "access_denied"}, {"x": "y"}])
def test_repeat_tells_the_situation_and_exchanges_nothing(
    the_world: World, situation: str, parameters: dict[str, str]
) -> None:
    if situation == "pending":
        return
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


# ---------------------------------------------------------------- where nothing was consumed


def assert_in_place(reply: Reply, code: Code) -> None:
    assert reply.status == 503
    assert FAILURES[code].text in unescape(reply.body)
    # The page's own URL, which carries state and grant, so no page repeats it.
    assert 'href=""' in reply.body


@pytest.mark.parametrize(
    ("operation", "code"),
    [("GetSecretValue", Code.BUSY), ("UpdateItem", Code.BUSY)],
)
def test_what_cannot_be_asked_just_now_is_busy_in_place_and_the_row_pending(
    the_world: World, operation: str, code: Code
) -> None:
    login = begin_directly(the_world)
    before = login.row()
    the_world.faults[operation] = DOWN
    reply = login.come_back()
    assert_in_place(reply, code)
    assert login.state not in reply.body
    assert "canary-code" not in reply.body
    the_world.faults.clear()
    assert_untouched(login, before)


@pytest.mark.parametrize(
    "secret",
    ["{}", "[]", "not JSON", '{"pocketful": {}}', '{"pocketful": {"client_secret": 7}}', '{"pocketful": "canary"}'],
)
def test_malformed_secret_is_app_misconfigured_in_place_and_the_row_pending(the_world: World, secret: str) -> None:
    the_world.secretsmanager.put_secret_value(SecretId=the_world.secret, SecretString=secret)
    login = begin_directly(the_world)
    before = login.row()
    assert_in_place(login.come_back(), Code.APP_MISCONFIGURED)
    line = the_world.lines()[-1]
    assert line["level"] == "ERROR"
    assert "pocketful.client_secret" in line["reason"]
    the_world.secretsmanager.put_secret_value(SecretId=the_world.secret, SecretString=json.dumps(SECRETS))
    assert_untouched(login, before)


def test_broker_that_nothing_could_be_sent_to_is_unavailable_in_place_and_the_row_pending(the_world: World) -> None:
    login = begin_directly(the_world)
    before = login.row()
    assert_in_place(login.come_back(NotSent("dns"), NotSent("dns")), Code.BROKER_UNAVAILABLE)
    assert len(the_world.http.sent) == 2
    the_world.http.sent.clear()
    assert_untouched(login, before)


def test_too_little_time_is_busy_in_place_and_the_row_pending(the_world: World) -> None:
    login = begin_directly(the_world)
    before = login.row()
    function, event = the_world.event("GET", f"/callback/pocketful?code=c&state={login.state}")
    event["cookies"] = [f"{name}={value}" for name, value in login.browser.cookies.items()]
    assert_in_place(Reply(the_world.functions[function](event, Context(remaining=8_500))), Code.BUSY)
    assert_untouched(login, before)


def test_wrong_browser_meets_no_page_in_place(the_world: World) -> None:
    login = begin_directly(the_world)
    stranger = the_world.browser()
    stranger.start()
    the_world.faults["GetSecretValue"] = DOWN
    assert stranger.come_back(login.state).location == WRONG_BROWSER


def test_lost_answer_of_the_broker_is_no_case_for_a_page_in_place(the_world: World) -> None:
    login = begin_directly(the_world)
    assert login.come_back(NoAnswer("timeout")).location == login.result
    assert login.row()["error"] == "outcome_unknown"


def test_wait_that_the_broker_asks_for_is_on_the_page(the_world: World) -> None:
    login = begin_directly(the_world)
    reply = login.come_back(answer("{}", 429, retry_after="300"))
    assert login.row()["retry_at"] == MORNING + 300
    assert "asks you to wait until 09:05 IST" in login.browser.get(reply.location).body


# ---------------------------------------------------------------- 5paisa


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
