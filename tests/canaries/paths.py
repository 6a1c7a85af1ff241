"""What customers, platforms and strangers do at every route."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlencode

from tests.canaries.brokers import ODD, good
from tests.canaries.canaries import Kind
from tests.canaries.failures import FAILURES
from tests.canaries.walk import JSON, Walk

FORM: Final = {"content_type": "application/x-www-form-urlencoded"}


def connected(walk: Walk) -> None:
    walk.start().come_back(*good(walk.canaries, walk.broker))
    assert walk.outcome()["status"] == "connected"
    walk.get(f"/result?attempt={walk.attempt}&wait=1")
    walk.get("/")
    # Back and reload; a second tab; a browser that lost its cookies; one that has others.
    walk.come_back()
    walk.get(f"/authorize/{walk.broker.id}?retry={walk.attempt}")
    own, stranger = walk.cookies, Walk(walk.site, walk.seen, walk.canaries, walk.broker, "stranger").start().cookies
    for cookies in ({}, stranger, {walk.site.cookie: walk.canaries.new(Kind.STRANGERS_WORDS)}):
        walk.cookies = cookies
        walk.come_back()
        walk.outcome()
    walk.cookies = own
    walk.start()


def bounced(walk: Walk) -> None:
    walk.start()
    nobody_reads = {"other": walk.canaries.new(Kind.BROKERS_WORDS), "Zother": walk.canaries.new(Kind.BROKERS_WORDS)}
    body = urlencode({walk.broker.grant: walk.grant, "state": walk.state, **walk.broker.callback, **nobody_reads})
    target = f"/callback/{walk.broker.id}"
    reply = walk.request("POST", target, body=body, headers=FORM)
    assert reply.status == 303
    walk.tell(*good(walk.canaries, walk.broker))
    walk.get(reply.location)
    assert walk.outcome()["status"] == "connected"
    for refused in (f"{body}&state={walk.state}", f"{body}%00", f"{body}%ff", body * 30):
        walk.request("POST", target, body=refused, headers=FORM)
    walk.request("POST", target, body=json.dumps({walk.broker.grant: walk.grant}), headers=JSON)
    walk.request("POST", f"/callback/{walk.canaries.new(Kind.STRANGERS_WORDS)}", body=body, headers=FORM)


def declined(walk: Walk) -> None:
    for error in ("access_denied", "server_error", "invalid_scope", walk.canaries.new(Kind.BROKERS_WORDS)):
        walk.start().come_back(
            error=error,
            error_description=walk.canaries.new(Kind.BROKERS_WORDS, ODD),
            error_uri=f"javascript:{walk.canaries.new(Kind.BROKERS_WORDS)}",
        )
        assert walk.outcome()["status"] == "failed"


def tried_again(walk: Walk) -> None:
    walk.start().come_back(error="access_denied")
    again = walk.get(f"/authorize/{walk.broker.id}?retry={walk.attempt}")
    assert again.status == 303
    walk.new_grant()
    walk.come_back(*good(walk.canaries, walk.broker))
    assert walk.outcome()["status"] == "connected"


def by_json(walk: Walk) -> None:
    target = f"/authorize/{walk.broker.id}"
    assert walk.get(target, accept="application/json", sec_fetch_site="same-origin").status == 200
    walk.come_back(*good(walk.canaries, walk.broker))
    assert walk.outcome()["status"] == "connected"
    unknown, another = walk.canaries.new(Kind.SESSION), walk.canaries.new(Kind.STRANGERS_WORDS)
    for query in (f"session={unknown:A<43}", f"session={unknown}", f"retry={another:A<43}"):
        walk.get(f"{target}?{query}", accept="application/json")
        walk.get(f"{target}?{query}")
    for site in ("cross-site", "same-site"):
        walk.get(target, accept="application/json", sec_fetch_site=site)
        walk.get(target, sec_fetch_site=site)
    walk.get(target, purpose="prefetch")


def prepared(walk: Walk) -> None:
    for account, outcome in ((walk.broker.account, "connected"), ("ZZ9999", "failed")):
        session = walk.open_session(account=account)
        walk.start(session=session)
        walk.start(session=session)
        walk.come_back(*good(walk.canaries, walk.broker))
        assert walk.outcome()["status"] == outcome
        # Used or not: the same link at another host, at another broker, and where no session belongs.
        walk.request("GET", f"/authorize/{walk.broker.id}?session={session}", host="other.example.com")
        for path in ("/", "/authorize/acme", "/result"):
            walk.get(f"{path}?session={session}")


def entered_by_a_form(walk: Walk) -> None:
    """Enter the broker's login by a form, where its app says so; it is told in JSON that there is no other way."""
    target = f"/authorize/{walk.broker.id}"
    assert "<form" in walk.get(target).body
    walk.come_back(*good(walk.canaries, walk.broker))
    assert walk.outcome()["status"] == "connected"
    assert walk.get(target, accept="application/json").status == 406


def held(walk: Walk) -> None:
    if not walk.broker.binds_grant:
        body = json.dumps({"broker": walk.broker.id, "user_id": "u", "return_to": f"{walk.site.base_url}/example/"})
        assert walk.request("POST", "/sessions", body=body, headers=JSON).status == 400
        return
    for present, status in (("user-1", 200), (walk.canaries.new(Kind.STRANGERS_WORDS), 404)):
        walk.start(session=walk.open_session()).come_back(*good(walk.canaries, walk.broker))
        assert walk.outcome()["status"] == "confirm"
        for _ in range(2):
            assert walk.confirm(present).status == status
        walk.outcome()


def malformed(walk: Walk) -> None:
    walk.start()
    bad = walk.canaries.new(Kind.STRANGERS_WORDS)
    grant, state = walk.broker.grant, walk.state
    for query in (
        "",
        f"{grant}={bad}",
        f"{grant}={bad}&{grant}={bad}&state={state}",
        f"{grant}={bad}%00&state={state}",
        f"{grant}={bad * 110}&state={state}",
        f"{grant}={bad}&state={state}x",
        f"{grant}={bad}%ff&state={state}",
        f"{grant}={bad}&state={bad}",
        f"{grant}={quote(walk.grant)}&state={state}&iss={bad}",
        f"{grant}=&state={state}",
        f"{bad}={bad}&{bad}={bad}&state={state}",
        f"state={state}",
    ):
        walk.get(f"/callback/{walk.broker.id}?{query}")
    walk.get(f"/callback/{bad}?{grant}={bad}&state={state}")
    walk.get(f"/authorize/{bad}")
    for query in (
        f"session={bad}",
        f"return_to=https://evil.example/{bad}",
        f"return_to=javascript:{bad}",
        f"session={bad}&retry={bad}",
        f"session={bad}%ff",
        f"{bad}={bad}",
    ):
        for accept in ("text/html", "application/json"):
            walk.get(f"/authorize/{walk.broker.id}?{query}", accept=accept)
            walk.get(f"/result?{query}", accept=accept)
    for query in (f"attempt={bad}", f"error={bad}", "error=denied", f"attempt={bad}&attempt={bad}"):
        for accept in ("text/html", "application/json"):
            walk.get(f"/result?{query}", accept=accept)
    walk.get(f"/attempts/{bad}")
    walk.get(f"/attempts/{bad:A<43}")
    for body in (
        bad,
        f'["{bad}"]',
        f'{{"attempt": "{bad}"',
        json.dumps({bad: bad}),
        json.dumps({"broker": bad, "user_id": bad}),
        json.dumps({"broker": walk.broker.id, "user_id": f"{bad} x", "account": bad}),
        json.dumps({"broker": walk.broker.id, "user_id": "u", "account": f"{bad}/"}),
        json.dumps({"broker": walk.broker.id, "user_id": "u", "return_to": f"https://evil.example/{bad}"}),
        json.dumps({"attempt": bad, "user_id": bad}),
        json.dumps({"attempt": walk.attempt, "user_id": bad}),
        json.dumps({"attempt": walk.attempt, "user_id": [bad]}),
    ):
        for route in ("/sessions", "/confirm"):
            walk.request("POST", route, body=body, headers=JSON)
    for cookie in (bad, f"{bad}; {walk.site.cookie}={bad}", f"{bad:A<43}"):
        jar = {walk.site.cookie: cookie, f"{walk.site.cookie}-links": bad}
        walk.request("GET", "/", cookies=jar)
        walk.request("GET", f"/callback/{walk.broker.id}?{grant}={bad}&state={state}", cookies=jar)
        walk.request("GET", f"/result?attempt={walk.attempt}", cookies=jar)
    loud = {"user_agent": bad, "authorization": bad, "referer": f"https://x.example/{bad}", "x_amzn_trace_id": bad}
    walk.get("/", **loud)
    walk.get(f"/callback/{walk.broker.id}?{grant}={bad}&state={bad}", **loud)


def ended(walk: Walk) -> None:
    walk.start().come_back(*good(walk.canaries, walk.broker))
    account = walk.get(f"/attempts/{walk.attempt}").json["account"]
    owner = f"{walk.broker.id}:{account}"
    assert walk.get(f"/connections/{owner}").json["connections"]
    for status in (200, 404):
        assert walk.request("DELETE", f"/connections/{owner}/{walk.broker.id}/{account}").status == status
    bad = walk.canaries.new(Kind.STRANGERS_WORDS)
    walk.get(f"/connections/{bad}+")
    walk.request("DELETE", f"/connections/{bad}/{bad}/{bad}+")


PATHS: Final[dict[str, Callable[[Walk], None]]] = {
    path.__name__.replace("_", " "): path
    for path in (connected, bounced, declined, tried_again, by_json, prepared, held, ended, malformed)
}


def failing(name: str, walk: Walk) -> None:
    """Walk a path on which the broker fails."""
    failure = FAILURES[name]
    walk.start().come_back(*failure.answers(walk.canaries, walk.broker))
    told = walk.outcome()
    assert (told["status"], told["error"]) == ("failed", failure.code)
