"""GET /callback/{broker}: what is refused, in which order, and that it touches nothing."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.errors import FAILURES, Code
from tests.kit.situations import ACCOUNT, SITUATIONS, USER, assert_untouched, begin, begin_directly
from tests.kit.world import APPS, RETURN_TO, Context, Reply, World

FORM = "application/x-www-form-urlencoded"
STRANGE = "Z" * 43
DOWN = EndpointConnectionError(endpoint_url="https://aws")
WRONG_BROWSER = "/result?error=wrong_browser"


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
        assert_untouched(login, login.row())


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
