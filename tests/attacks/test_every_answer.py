"""Whatever is asked, in whatever state a login is: the same headers, the same cookie flags, and no secret anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from brokerlink.web.style import STYLE_HASH
from tests.attacks.journeys import JOURNEYS, Walk, walk
from tests.kit.contract import breaches, route_of
from tests.kit.situations import ACCOUNT, USER
from tests.kit.world import Reply

COOKIE = re.compile(
    r"(__Host-brokerlink=[A-Za-z0-9_-]{43}|__Host-brokerlink-links=[a-z]+\.[0-9]{10}(~[a-z]+\.[0-9]{10})*)"
    r"; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax; Secure"
)
POLICY = (
    f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'none'"
)


@pytest.fixture(scope="module", params=JOURNEYS)
def walked(request: pytest.FixtureRequest) -> Walk:
    made = walk(request.param)
    assert made.replies
    assert made.secrets or request.param == "closed"
    return made


def backend(asked: str) -> bool:
    return asked.startswith(
        ("GET /attempts/", "POST /confirm", "POST /sessions", "GET /connections/", "DELETE /connections/")
    )


def visible(walked: Walk) -> Iterator[tuple[str, Reply, str]]:
    """Give each reply with all its text, escapes undone, except what a start sets as a cookie."""
    for asked, reply in walked.replies:
        headers = {name: value for name, value in reply.headers.items() if name != "content-security-policy"}
        yield asked, reply, unquote(f"{headers} {reply.body}")


def test_every_answer_carries_the_headers(walked: Walk) -> None:
    for asked, reply in walked.replies:
        kept = {name: value for name, value in reply.headers.items() if name not in {"content-type", "location"}}
        assert kept == {
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "strict-transport-security": "max-age=31536000",
            "content-security-policy": POLICY,
        }, asked


def test_every_answer_is_as_the_contract_says(walked: Walk) -> None:
    for asked, reply in walked.replies:
        cookie = dict.fromkeys(["set-cookie"] if reply.payload["cookies"] else [], "".join(reply.payload["cookies"]))
        assert not list(breaches(route_of(asked), reply.status, reply.headers | cookie, reply.body)), asked


def test_every_cookie_has_the_flags(walked: Walk) -> None:
    for asked, reply in walked.replies:
        for cookie in reply.payload["cookies"]:
            assert COOKIE.fullmatch(cookie), asked


def test_every_redirect_is_a_303_and_every_page_is_html(walked: Walk) -> None:
    for asked, reply in walked.replies:
        assert ("location" in reply.headers) is (reply.status == 303), asked
        if reply.status == 303:
            assert reply.body == "", asked
        elif reply.headers["content-type"] == "application/json":
            json.loads(reply.body)
        else:
            assert reply.headers["content-type"] == "text/html; charset=utf-8", asked
            assert reply.body.startswith("<!doctype html>"), asked


def test_only_the_page_of_a_successful_login_says_connected(walked: Walk) -> None:
    for asked, reply in walked.replies:
        if reply.headers.get("content-type", "").startswith("text/html"):
            assert ("connected" in reply.body.lower()) is ("is connected</h1>" in reply.body), asked


def test_canary_secrets_are_in_no_answer_and_no_log(walked: Walk) -> None:
    for asked, _, text in visible(walked):
        assert "canary" not in text, asked
    assert "canary" not in walked.output


def test_states_go_to_the_broker_alone(walked: Walk) -> None:
    for asked, reply, text in visible(walked):
        if asked.startswith("GET /authorize/"):
            assert not [
                state for state in walked.states if state in reply.body and '"authorization_url"' not in reply.body
            ]
        else:
            assert not [state for state in walked.states if state in text], asked
    assert not [state for state in walked.states if state in walked.output]


def test_browser_keys_sessions_and_code_verifiers_are_in_no_answer_and_no_log(walked: Walk) -> None:
    for asked, _, text in visible(walked):
        if asked != "POST /sessions":
            assert not [secret for secret in walked.secrets if secret in text], asked
    assert not [secret for secret in walked.secrets if secret in walked.output]


def test_accounts_and_users_are_told_to_backends_alone(walked: Walk) -> None:
    for asked, _, text in visible(walked):
        if not backend(asked):
            assert ACCOUNT not in text, asked
            assert "50052770" not in text, asked
            assert f'"{USER}"' not in text, asked
    for personal in (ACCOUNT, "50052770", USER):
        assert personal not in walked.output


def test_every_log_line_is_one_json_object(walked: Walk) -> None:
    lines = [line for line in walked.output.splitlines() if line.startswith("{")]
    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_nothing_but_what_was_broken_on_purpose_crashed(walked: Walk, request: pytest.FixtureRequest) -> None:
    crashes = walked.output.count('"message":"crashed"')
    assert (crashes > 0) is ("failures" in request.node.name)
