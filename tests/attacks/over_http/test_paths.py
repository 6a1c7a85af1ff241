"""Paths that two servers could read as two places: none is a way around a check, and none of them finishes a login."""

from __future__ import annotations

import pytest

from tests.attacks.over_http.scene import Browser, Login, Scene
from tests.attacks.over_http.wire import parse, talk

# In the victim's own browser, with the genuine query: what stands where `/callback/pocketful` belongs.
NOWHERE = {
    "a slash at the end": "/callback/pocketful/",
    "a slash more before": "//callback/pocketful",
    "a slash more within": "/callback//pocketful",
    "another host in the path": "//evil.example/callback/pocketful",
    "a dot": "/./callback/pocketful",
    "a dot within": "/callback/./pocketful",
    "a dot at the end": "/callback/pocketful/.",
    "two dots": "/x/../callback/pocketful",
    "two dots over the broker": "/callback/fivepaisa/../pocketful",
    "encoded dots": "/callback/%2e%2e/callback/pocketful",
    "dots encoded twice": "/callback/%252e%252e/callback/pocketful",
    "dots with a path parameter": "/x/..;/callback/pocketful",
    "an encoded slash": "/callback%2fpocketful%2f",
    "a slash encoded twice": "/callback/x%252fpocketful",
    "a backslash": "/callback\\pocketful",
    "an encoded backslash": "/callback%5cpocketful",
    "upper case": "/CALLBACK/pocketful",
    "a path parameter": "/callback;x=y/pocketful",
    "a space": "/callback%20/pocketful",
    "NUL": "/callback%00/pocketful",
    "fullwidth letters": "/%EF%BD%83allback/pocketful",
    "overlong UTF-8": "/%C1%A3allback/pocketful",
    "the stage's name": "/$default/callback/pocketful",
    "the route's template": "/callback/{broker}",
    "a file": "/callback/pocketful.json",
    "the example's neighbour": "/examples/callback/pocketful",
}


@pytest.mark.parametrize("name", NOWHERE)
def test_path_that_is_not_the_callbacks_finishes_nothing(victim: Login, name: str) -> None:
    query = victim.callback.partition("?")[2]
    answer = victim.browser.get(f"{NOWHERE[name]}?{query}")
    assert answer.status in {400, 404}
    assert victim.state not in answer.text
    victim.assert_untouched()


# The gateway decodes a path before it looks for its route: these are the callback, and guarded like it.
SPELLINGS = {
    "a letter encoded": "/callback/pocket%66ul",
    "a letter encoded twice": "/callback/pocket%2566ul",
    "the route encoded": "/%63allback/pocketful",
    "the slash encoded": "/callback%2fpocketful",
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_callback_under_another_spelling_is_guarded_like_the_callback(victim: Login, name: str) -> None:
    query = victim.callback.partition("?")[2]
    stranger = Browser(victim.scene).get(f"{SPELLINGS[name]}?{query}")
    assert stranger.location == "/result?error=wrong_browser"
    assert victim.browser.get(f"{SPELLINGS[name]}?{query}&code=x").status == 400
    victim.assert_untouched()


@pytest.mark.parametrize("mark", ["%3F", "%253F", "%23", ";"])
def test_query_within_the_path_is_no_query(victim: Login, mark: str) -> None:
    query = victim.callback.partition("?")[2]
    assert victim.browser.get(f"{victim.path}{mark}{query}").status in {400, 404}
    victim.assert_untouched()


def test_second_question_mark_is_part_of_a_parameter(victim: Login) -> None:
    assert victim.browser.get(f"{victim.callback}?x=y").status == 400
    assert Browser(victim.scene).get(f"{victim.path}??{victim.callback}").location == "/result?error=wrong_browser"
    victim.assert_untouched()


# Request targets that are no path: every server before ours may read them in its own way.
TARGETS = {
    "absolute, ours": "http://{host}{callback}",
    "absolute, another's": "http://evil.example{callback}",
    "absolute, https": "https://{host}{callback}",
    "absolute, without a path": "http://{host}",
    "with a user": "http://x@{host}{callback}",
    "authority": "{host}",
    "asterisk": "*",
    "relative": "callback/pocketful",
    "a query alone": "?x=y",
    "with a fragment and a blank": "{callback} #x",
    "with a blank": "/call back/pocketful",
    "raw UTF-8": "/callback/pocketf\xc3\xbcl",
    "a broken escape": "/callback/%zz",
    "an escape cut off": "/callback/pocketful%",
    "an escape that breaks when decoded again": "/callback/%25zz",
}


@pytest.mark.parametrize("name", TARGETS)
def test_target_that_is_no_path_reaches_no_function(victim: Login, name: str) -> None:
    asked = victim.scene.asked
    target = TARGETS[name].format(host=victim.scene.api.host, callback=victim.callback)
    answer = victim.scene.api.ask("GET", target, ("Cookie", f"brokerlink={victim.browser.cookies['brokerlink']}"))
    assert (answer.status, answer.ours) == (400, False)
    assert victim.scene.asked == asked
    victim.assert_untouched()


def test_file_of_the_server_is_nowhere_to_be_had(scene: Scene) -> None:
    for target in (
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/template.yaml",
        "/.env",
        "/.git/config",
        "/static/..%5c..%5cx",
        "/latest/meta-data/iam/security-credentials/",
        "/2018-06-01/runtime/invocation/next",
        "/simulator/requests",
        "/moto-api/data.json",
    ):
        assert scene.api.ask("GET", target).status == 404
    for target in ("/example/../template.yaml", "/example/..%2f..%2ftemplate.yaml", "/example/../callback/pocketful"):
        head = f"GET {target} HTTP/1.1\r\nHost: {scene.api.host}\r\nConnection: close\r\n\r\n"
        (answer,) = parse(talk(scene.api.host, head.encode()))
        assert (answer.status, answer.ours) == (404, False)
