"""Callbacks and forms whose parameters are repeated, oversized or written so that two readers differ."""

from __future__ import annotations

from urllib.parse import parse_qs, quote

import pytest

from tests.attacks.over_http.scene import FORM, Browser, Login, Scene
from tests.attacks.over_http.wire import Header

# Queries with the victim's genuine state in the victim's own browser; `{code}` is genuine too.
MALFORMED = {
    "code twice": "code={code}&code=b&state={state}",
    "code twice, the same": "code={code}&code={code}&state={state}",
    "code twice, one encoded": "code={code}&c%6fde={code}&state={state}",
    "code twice, one empty": "code={code}&code=&state={state}",
    "code twice, one without a value": "code={code}&code&state={state}",
    "state twice": "code={code}&state={state}&state={state}",
    "state twice, one empty": "code={code}&state={state}&state=",
    "state twice, one encoded": "code={code}&state={state}&st%61te={state}",
    "state twice, another's first": "code={code}&state=" + "R" * 43 + "&state={state}",
    "state joined with a comma, as in the gateway's own map": "code={code}&state={state},{state}",
    "error twice": "error=access_denied&error=x&state={state}",
    "an unread parameter twice": "code={code}&state={state}&x=1&x=2",
    "neither code nor state": "x=y",
    "nothing": "",
    "an ampersand": "&",
    "empty code": "code=&state={state}",
    "code without a value": "code&state={state}",
    "code of 4,097 bytes": "code=" + "x" * 4_097 + "&state={state}",
    "code of 4,097 bytes in escapes of fewer": "code=%41" + "x" * 4_096 + "&state={state}",
    "error of 4,097 bytes": "error=" + "x" * 4_097 + "&state={state}",
    "code with NUL": "code={code}%00&state={state}",
    "code with a line break": "code={code}%0D%0AX:y&state={state}",
    "code with a tab": "code={code}%09&state={state}",
    "code with delete": "code={code}%7F&state={state}",
    "code with emoji": "code=%F0%9F%98%80&state={state}",
    "code with a fullwidth digit": "code=%EF%BC%91&state={state}",
    "code with an Arabic digit": "code=%D9%A1&state={state}",
    "code in Latin-1": "code=%E9&state={state}",
    "code overlong in UTF-8": "code=%C0%AF&state={state}",
    "code with half a surrogate pair": "code=%ED%A0%80&state={state}",
    "code past Unicode": "code=%F4%90%80%80&state={state}",
    "code cut off within a character": "code=%E2%82&state={state}",
    "code with a byte order mark": "code=%EF%BB%BF{code}&state={state}",
    "code in UTF-16": "code=%FF%FEc%00&state={state}",
    "a name that is no UTF-8": "code={code}&state={state}&%FF=x",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_callback_touches_nothing(victim: Login, name: str) -> None:
    query = MALFORMED[name].format(code=victim.grant, state=victim.state)
    answer = victim.browser.get(f"{victim.path}?{query}")
    assert answer.status == 400
    assert victim.state not in answer.text
    victim.assert_untouched()


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_form_touches_nothing(victim: Login, name: str) -> None:
    query = MALFORMED[name].format(code=victim.grant, state=victim.state)
    answer = victim.browser.post(victim.path, query.encode())
    if answer.status == 303:  # what is absent or empty, and whose state it is, is told by the GET
        answer = victim.browser.get(answer.location)
    assert answer.status == 400
    victim.assert_untouched()


# Of one parameter, whatever it is called at 5paisa, there may be one.
DOUBLED = [
    "RequestToken={grant}&requesttoken={grant}",
    "RequestToken={grant}&request_token={grant}",
    "RequestToken={grant}&REQUESTTOKEN=",
    "RequestToken={grant}&RequestTo%E2%84%AAen={grant}",
    "RequestToken={grant}&STATE={state}",
    "RequestToken={grant}&State=",
]


def test_one_parameter_under_two_names_touches_nothing(scene: Scene) -> None:
    victim = scene.browser().login("/authorize/fivepaisa")
    for query in DOUBLED:
        filled = query.format(grant=victim.grant, state=victim.state)
        assert victim.browser.get(f"{victim.path}?state={victim.state}&{filled}").status == 400
    victim.assert_unharmed()


def test_valid_state_alone_fails_the_attempt(customer: Login) -> None:
    customer.browser.get(f"{customer.path}?state={customer.state}")
    assert customer.outcome()["error"] == "invalid_request"
    assert customer.scene.exchanges(customer.grant) == 0


# What is written into the query, and what the broker has to be sent: decoded once, `+` as a space.
WRITTEN = {
    "a+b": "a b",
    "a%20b": "a b",
    "a%2Bb": "a+b",
    "a%252Bb": "a%2Bb",
    "a%2526code%253Db": "a%26code%3Db",
    "a%26grant_type%3Dpassword": "a&grant_type=password",
    "a%3Db": "a=b",
    "a=b==": "a=b==",
    "a%zz%": "a%zz%",
    "%22%27%3C%3E": "\"'<>",
    "a;b": "a;b",
    "x" * 4_096: "x" * 4_096,
}


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: written[:20])
def test_grant_is_decoded_once_and_sent_unchanged(customer: Login, written: str) -> None:
    customer.browser.get(f"{customer.path}?code={written}&state={customer.state}")
    last = customer.scene.stack.simulators.recorder.requests("pocketful", "token")[-1]
    form = parse_qs(last.body or "", strict_parsing=True)
    assert form["code"] == [WRITTEN[written]]
    assert form["grant_type"] == ["authorization_code"]
    assert customer.outcome()["error"] == "grant_rejected"


def test_parameter_that_is_not_read_may_hold_anything(customer: Login) -> None:
    more = "&note=a+%C3%A9&session_state=" + quote("☃" * 100) + "&x=" + "y" * 4_000 + "&a&&=b"
    assert customer.browser.get(customer.callback + more).status == 303
    assert customer.outcome()["status"] == "connected"


# ---------------------------------------------------------------------------------------------------------- bodies

OTHER_BODIES: list[str] = [
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/xml",
    "application/octet-stream",
    "application/x-www-form-urlencodedx",
    "x-application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded, application/json",
    "application/json; x=application/x-www-form-urlencoded",
    "application/ x-www-form-urlencoded",
    "",
]


@pytest.mark.parametrize("content_type", OTHER_BODIES)
def test_body_that_is_no_form_is_415(victim: Login, content_type: str) -> None:
    body = f"code={victim.grant}&state={victim.state}".encode()
    assert victim.browser.post(victim.path, body, ("Content-Type", content_type)).status == 415
    victim.assert_untouched()


@pytest.mark.parametrize("content_type", [FORM[1], f"{FORM[1].upper()}", f"  {FORM[1]} ;charset=utf-16", f"{FORM[1]};"])
def test_posted_callback_finishes_by_its_get_form(customer: Login, content_type: str) -> None:
    body = f"error_description=dropped&code={customer.grant}&state={customer.state}&return_to=//evil.example"
    bounce = customer.browser.post(customer.path, body.encode(), ("Content-Type", content_type))
    assert bounce.location == f"{customer.path}?code={customer.grant}&state={customer.state}"
    assert customer.browser.get(bounce.location).location == f"/result?attempt={customer.attempt_id}"
    assert customer.outcome()["status"] == "connected"


def test_query_of_a_posted_callback_is_not_read(victim: Login, customer: Login) -> None:
    bounce = customer.browser.post(victim.callback, f"code=c&state={customer.state}".encode())
    assert bounce.location == f"{customer.path}?code=c&state={customer.state}"
    victim.assert_untouched()


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"code=\xe9&state={state}",
        "code=é&state={state}".encode(),
        b"\xef\xbb\xbfcode=c&state={state}",
        "code=c&state={state}".encode("utf-16"),
        b"code=c&state={state}\x00",
        b"code=" + b"x" * 4_097 + b"&state={state}",
        b"code=" + b"x" * 100_000,
    ],
    ids=["UTF-16 mark", "Latin-1", "unencoded UTF-8", "byte order mark", "UTF-16", "NUL", "4,097 bytes", "100 kB"],
)
def test_form_that_no_browser_posts_touches_nothing(victim: Login, body: bytes) -> None:
    answer = victim.browser.post(victim.path, body.replace(b"{state}", victim.state.encode()))
    assert answer.status == 400
    victim.assert_untouched()


def test_form_that_does_not_fit_into_a_url_is_refused(victim: Login) -> None:
    body = f"code={'%2B' * 3_000}&state={victim.state}".encode()
    assert victim.browser.post(victim.path, body).status == 400
    victim.assert_untouched()


@pytest.mark.parametrize("header", [("Content-Encoding", "gzip"), ("Content-Transfer-Encoding", "base64")])
def test_coding_of_a_body_is_not_undone(victim: Login, header: Header) -> None:
    answer = victim.browser.post(victim.path, b"\x1f\x8b\x08\x00", FORM, header)
    assert answer.status == 400
    victim.assert_untouched()


def test_bounce_of_a_strangers_form_ends_after_one(victim: Login) -> None:
    """A browser that keeps no cookies must not be sent round in circles."""
    body = f"code={victim.grant}&state={victim.state}".encode()
    stranger = Browser(victim.scene)
    bounce = stranger.post(victim.path, body)
    assert stranger.get(bounce.location).location == "/result?error=wrong_browser"
    victim.assert_untouched()


# ------------------------------------------------------------------------------------------------- starts and results

REFUSED_STARTS = [
    "session={long}&session={long}",
    "session={long}&retry={long}",
    "session={long}&return_to={ours}",
    "retry={long}&return_to={ours}",
    "session=",
    "session=short",
    "session={long}A",
    "session={long}%0A",
    "session=%EF%BC%91{short}",
    "session%5B%5D={long}&session={long}&session={long}",
    "retry=",
    "retry=../{long}",
    "retry=session%23{long}",
    "retry={long}%00",
    "return_to=%FF",
    "%FF=x",
]


@pytest.mark.parametrize("query", REFUSED_STARTS)
def test_malformed_start_asks_for_nothing(scene: Scene, query: str) -> None:
    asked = scene.asked
    filled = query.format(long="R" * 43, short="R" * 42, ours=quote(scene.return_to, safe=""))
    answer = scene.browser().get(f"/authorize/pocketful?{filled}")
    assert (answer.status, answer.cookies) == (400, {})
    assert scene.asked == asked


@pytest.mark.parametrize(
    "error",
    [
        "connected",
        "DENIED",
        "denied%00",
        "denied%20",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "",
        "denied&error=denied",
        "%FF",
    ],
)
def test_result_of_a_code_that_is_none_is_refused_and_not_echoed(scene: Scene, error: str) -> None:
    answer = scene.browser().get(f"/result?error={error}")
    assert answer.status == 400
    assert "alert(1)" not in answer.text
    assert "connected" not in answer.text


@pytest.mark.parametrize(
    "attempt",
    ["", "x", "R" * 42, "R" * 44, "R" * 43 + "%0A", "session%23" + "R" * 43, "..%2F..", "%00", "%EF%BC%91" + "R" * 42],
)
def test_result_of_what_names_no_attempt_is_unknown_before_dynamodb_is_asked(victim: Login, attempt: str) -> None:
    asked = victim.scene.asked
    assert victim.browser.get(f"/result?attempt={attempt}").status == 404
    assert victim.scene.asked == asked


@pytest.mark.parametrize("wait", ["0", "true", "11", "%EF%BC%91", "1%00", "", "-1"])
def test_nothing_but_wait_1_waits(victim: Login, wait: str) -> None:
    assert victim.browser.get(f"/result?attempt={victim.attempt_id}&wait={wait}").status == 200
    victim.assert_untouched()
