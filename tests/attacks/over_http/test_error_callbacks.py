"""Callbacks that report an error, or something that pretends to be one."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from typing import override
from urllib.parse import quote

import pytest

from brokerlink.errors import FAILURES, Code
from tests.attacks.over_http.scene import Login, Scene

ERRORS = [
    ("access_denied", Code.DENIED),
    ("login_required", Code.DENIED),
    ("server_error", Code.BROKER_UNAVAILABLE),
    ("temporarily_unavailable", Code.BROKER_UNAVAILABLE),
    ("invalid_scope", Code.APP_MISCONFIGURED),
    ("unauthorized_client", Code.APP_MISCONFIGURED),
    ("invalid_state", Code.APP_MISCONFIGURED),
    ("unheard_of", Code.BROKER_ERROR),
    ("ACCESS_DENIED", Code.BROKER_ERROR),
    ("connected", Code.BROKER_ERROR),
    ("<script>alert(1)</script>", Code.BROKER_ERROR),
]


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_error_callback_ends_the_attempt_with_its_code(customer: Login, error: str, code: Code) -> None:
    told = customer.scene.mark()
    end = customer.browser.get(f"{customer.path}?error={quote(error)}&state={customer.state}")
    assert FAILURES[code].title in unescape(customer.browser.get(end.location).text)
    assert (customer.row()["status"], customer.row()["error"]) == ("FAILED", code)
    assert customer.scene.exchanges(customer.grant) == 0
    lines = customer.scene.lines(told, FAILURES[code].metric)
    assert [line["level"] for line in lines if line.get("message") == "failed"] == [
        "ERROR" if FAILURES[code].operator else "INFO"
    ]


def test_error_with_a_line_break_is_malformed(victim: Login) -> None:
    for error in ("access_denied%0A{}", "%0D%0A", "%00", "%1B[2J", "%E2%80%A8"):
        told = victim.scene.mark()
        assert victim.browser.get(f"{victim.path}?error={error}&state={victim.state}").status == 400
        refusals = [line for line in victim.scene.lines(told, "invalid_request") if line.get("message") == "refused"]
        assert [line["why"] for line in refusals] == ["a parameter is over 4,096 bytes, or not printable ASCII"]
    victim.assert_untouched()


HOSTILE_TEXTS = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "a link that runs": "javascript:alert(1)",
    "a template": "{{7*7}}${7*7}%(x)s",
    "1,500 characters": "x" * 1_500,
    "right to left": "é\u202e",
    "a log line": '\n{"level":"ERROR","message":"forged"}',
}
TEXTS = ["error_description", "error_uri", "error_hint", "error_debug", "scope"]


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


@pytest.mark.parametrize("kind", HOSTILE_TEXTS)
def test_text_of_an_error_callback_is_neither_shown_nor_linked_nor_logged(scene: Scene, kind: str) -> None:
    login = scene.browser().login(f"/authorize/pocketful?return_to={quote(scene.return_to, safe='')}")
    told, asked = scene.mark(), scene.mark("requests")
    text = HOSTILE_TEXTS[kind]
    more = "".join(f"&{name}={quote(text)}" for name in TEXTS)
    end = login.browser.get(f"{login.path}?error=access_denied&state={login.state}{more}")
    shown = login.browser.get(f"/result?attempt={login.attempt_id}").text
    page = Links(shown)
    assert "script" not in page.tags
    assert all(href and href.startswith(("/", "data:image/svg", scene.return_to)) for href in page.hrefs)
    logged = str(scene.lines(told, "denied") + scene.lines(asked, "message", "requests"))
    for place in (end.location, shown, logged):
        assert not [echo for echo in (text, quote(text), "alert(1)", "forged") if echo in place]


def test_error_beside_a_grant_counts_more_than_the_grant(customer: Login) -> None:
    customer.browser.get(f"{customer.callback}&error=access_denied")
    assert customer.outcome()["error"] == "denied"
    assert customer.scene.exchanges(customer.grant) == 0


def test_error_is_shown_in_the_customers_words_and_never_in_the_brokers(customer: Login) -> None:
    customer.browser.get(f"{customer.path}?error=unheard_of_code&state={customer.state}")
    outcome = customer.outcome()
    assert outcome["error"] == "broker_error"
    assert "unheard_of_code" not in str(outcome) + customer.browser.get(f"/result?attempt={customer.attempt_id}").text
