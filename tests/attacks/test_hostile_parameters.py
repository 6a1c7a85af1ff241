"""Callbacks whose parameters are repeated, oversized, mis-encoded, or an error in disguise."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any, override
from urllib.parse import parse_qs, quote

import pytest

from brokerlink.errors import FAILURES, Code
from tests.kit.situations import Login, begin_directly
from tests.kit.world import RETURN_TO, Context, Reply, World, pocketful, world

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def the_world() -> Iterator[World]:
    with world() as made:
        yield made


# ---------------------------------------------------------------- what is refused and touches nothing

REFUSED = {
    "code twice": "code=a&code=b&state={state}",
    "code twice, the same": "code=a&code=a&state={state}",
    "code twice, one escaped": "code=a&c%6fde=b&state={state}",
    "state twice": "code=a&state={state}&state={state}",
    "state twice, one empty": "code=a&state={state}&state=",
    "state joined with a comma, as the gateway's own map has it": "code=a&state={state},{state}",
    "neither code nor state": "x=y",
    "nothing": "",
    "code of 4,097 bytes": "code=" + "x" * 4097 + "&state={state}",
    "code of 4,097 escapes": "code=" + "%41" * 4097 + "&state={state}",
    "empty code": "code=&state={state}",
    "code with NUL": "code=a%00b&state={state}",
    "code with a line break": "code=a%0D%0Ab&state={state}",
    "code with emoji": "code=%F0%9F%98%80&state={state}",
    "code in Latin-1": "code=%E9&state={state}",
    "code overlong in UTF-8": "code=%C0%AF&state={state}",
    "code and error twice": "code=a&error=x&error=y&state={state}",
}


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_malformed_parameters_touch_nothing(the_world: World, query: str, method: str) -> None:
    login = begin_directly(the_world)
    before = login.row()
    filled = query.format(state=login.state)
    if method == "GET":
        reply = login.browser.get(f"/callback/pocketful?{filled}")
    else:
        reply = login.browser.request("POST", "/callback/pocketful", headers={"content-type": FORM}, body=filled)
        if reply.status == 303:
            # What a form may hold is told by its GET form: absent and empty, and a state that is none of ours.
            reply = login.browser.get(reply.location)
    assert reply.status == 400
    assert the_world.http.sent == []
    assert login.row() == before
    login.come_back(*pocketful())
    assert login.row()["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/xml", "application/octet-stream", ""]
)
@pytest.mark.parametrize("encoded", [True, False])
def test_body_that_is_no_form_is_415(the_world: World, content_type: str, *, encoded: bool) -> None:
    login = begin_directly(the_world)
    before = login.row()
    body = json.dumps({"code": "c", "state": login.state})
    function, event = the_world.event("POST", "/callback/pocketful", headers={"content-type": content_type})
    event |= {"body": base64.b64encode(body.encode()).decode() if encoded else body, "isBase64Encoded": encoded}
    assert Reply(the_world.functions[function](event, Context())).status == 415
    assert login.row() == before


@pytest.mark.parametrize("encoded", [True, False])
def test_posted_form_is_decoded_once_and_finishes_by_get(the_world: World, *, encoded: bool) -> None:
    login = begin_directly(the_world)
    body = f"code=a%2Bb+c%2525&state={login.state}&error_description=dropped"
    function, event = the_world.event("POST", "/callback/pocketful", headers={"content-type": FORM})
    event |= {"body": base64.b64encode(body.encode()).decode() if encoded else body, "isBase64Encoded": encoded}
    bounce = Reply(the_world.functions[function](event, Context()))
    assert "dropped" not in bounce.location
    the_world.http.script = list(pocketful())
    assert login.browser.get(bounce.location).location == login.result
    assert parse_qs((the_world.http.sent[0].body or b"").decode())["code"] == ["a+b c%25"]


# ---------------------------------------------------------------- error callbacks

ERRORS = [
    ("access_denied", Code.DENIED),
    ("server_error", Code.BROKER_UNAVAILABLE),
    ("temporarily_unavailable", Code.BROKER_UNAVAILABLE),
    ("invalid_scope", Code.APP_MISCONFIGURED),
    ("unauthorized_client", Code.APP_MISCONFIGURED),
    ("invalid_state", Code.APP_MISCONFIGURED),
    ("unheard_of", Code.BROKER_ERROR),
    ("<script>alert(1)</script>", Code.BROKER_ERROR),
]
HOSTILE_TEXTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "x" * 3_000,
    "é\u202e",
]


class Links(HTMLParser):
    """Collects a page's tags and where its links go."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.hrefs: list[str | None] = []
        self.feed(body)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.hrefs += [value for name, value in attrs if name in {"href", "src", "action"}]


def report(login: Login, error: str, **more: str) -> Reply:
    parameters = "".join(f"&{name}={quote(value)}" for name, value in more.items())
    return login.browser.get(f"/callback/pocketful?error={quote(error)}&state={login.state}{parameters}")


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_error_callback_of_the_right_browser_ends_the_attempt(
    the_world: World, capsys: pytest.CaptureFixture[str], error: str, code: Code
) -> None:
    login = begin_directly(the_world)
    capsys.readouterr()
    shown = login.browser.get(report(login, error).location)
    assert FAILURES[code].title in unescape(shown.body)
    assert (login.row()["status"], login.row()["error"]) == ("FAILED", code)
    assert the_world.http.sent == []
    assert json.loads(capsys.readouterr().out)[FAILURES[code].metric] == [1.0]
    assert (the_world.lines()[-1]["level"] == "ERROR") is (code is Code.APP_MISCONFIGURED)


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
@pytest.mark.parametrize("name", ["error_description", "error_uri", "error_hint", "scope"])
def test_text_of_an_error_callback_is_neither_shown_nor_linked_nor_logged(
    the_world: World, name: str, text: str
) -> None:
    login = begin_directly(the_world, return_to=RETURN_TO)
    reply = report(login, "access_denied", **{name: text})
    shown = login.browser.get(login.result)
    page: Any = Links(shown.body)
    assert "script" not in page.tags
    assert all(href is not None and href.startswith(("/", "data:image/svg", "https://app.")) for href in page.hrefs)
    for place in (reply.location, shown.body, the_world.log.getvalue()):
        assert text not in place
        assert quote(text) not in place
        assert "alert(1)" not in place


@pytest.mark.parametrize("text", HOSTILE_TEXTS[:3])
def test_error_that_is_markup_is_neither_shown_nor_logged(the_world: World, text: str) -> None:
    login = begin_directly(the_world)
    shown = login.browser.get(report(login, text).location)
    assert "alert(1)" not in shown.body + the_world.log.getvalue()
    assert login.row()["error"] == "broker_error"


def test_line_break_in_a_parameter_makes_no_second_log_line(the_world: World) -> None:
    browser = the_world.browser()
    browser.start()
    before = len(the_world.lines())
    for query in ('state=x%0A{"level":"ERROR"}', f"error=%0D%0A&state={'A' * 43}", 'code=%0A&state="'):
        browser.get(f"/callback/pocketful?{query}")
    assert [line["message"] for line in the_world.lines()[before:]] == ["refused"] * 3
