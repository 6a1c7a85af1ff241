"""Walks over every route and outcome, with canaries in every input, keeping all that is answered and logged."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from brokerlink.outbound import AnswerTooLarge, NoAnswer, NotSent
from tests.kit.situations import ACCOUNT, SITUATIONS, USER, begin, begin_directly
from tests.kit.world import APPS, BASE_URL, RETURN_TO, Context, Reply, World, answer, pocketful, world

SECRETS = {
    "pocketful": {"client_secret": "canary-client-secret"},
    "fivepaisa": {"encryption_key": "canary-encryption-key", "user_id": "canary-user-id"},
}
HEADERS = {"user-agent": "canary", "authorization": "canary", "x-amzn-trace-id": "canary", "referer": "https://canary"}
DOWN = EndpointConnectionError(endpoint_url="https://canary")
REFUSED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "canary"}}, "canary")
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Walk:
    """What came of a journey. `replies` are by what was asked; `secrets` are those that were made on the way."""

    replies: list[tuple[str, Reply]] = field(default_factory=list)
    states: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    output: str = ""

    def watch(self, the_world: World) -> None:
        """Keep every reply from now on, and every secret that shows in a row or a cookie."""
        ask = the_world.request

        def request(method: str, target: str, **more: Any) -> Reply:
            headers = HEADERS | dict(more.pop("headers", {}))
            reply = ask(method, target, headers=headers, **more)
            path = target.removeprefix(BASE_URL)
            self.replies.append((f"{method} {path}", reply))
            if path.startswith("/authorize/") and reply.cookies:  # only a start makes one
                self.secrets |= {row["code_verifier"] for row in the_world.attempts() if "code_verifier" in row}
            self.secrets |= {key for name, key in reply.cookies.items() if not name.endswith("links")}
            if path == "/sessions" and reply.status == 201:
                self.secrets.add(str(reply.json["start_url"]).rpartition("=")[2])
            if path.startswith("/authorize/") and reply.status == 303 and "://" in reply.location:
                self.states |= {value for name, value in reply.query.items() if name.lower() == "state"}
            return reply

        the_world.request = request  # type: ignore[method-assign]  # watched from outside


def situation(name: str) -> Callable[[World], None]:
    def journey(the_world: World) -> None:
        login = begin(the_world)
        SITUATIONS[name].bring(login)
        stranger = the_world.browser()
        stranger.start()
        for browser in (login.browser, stranger, the_world.browser()):
            for target in (login.result, f"{login.result}&wait=1", login.retry):
                browser.get(target)
                browser.get(target, accept="application/json")
                browser.get(target, accept="application/json", sec_fetch_site="cross-site")
            browser.come_back(login.state, code="canary-code")
            browser.come_back(login.state, error="canary", error_description="canary")
        the_world.request("GET", f"/attempts/{login.attempt_id}")
        the_world.confirm(login.attempt_id, "canary")
        login.browser.get("/")

    return journey


def starts(the_world: World) -> None:
    browser = the_world.browser()
    for target in (
        "/",
        "/?x=canary",
        "/authorize/pocketful",
        "/authorize/fivepaisa",
        "/authorize/canary",
        "/authorize/pocketful?x=canary",
        "/authorize/pocketful?return_to=https://canary.example",
        "/authorize/pocketful?session=canary",
        "/authorize/pocketful?retry=canary",
        "/authorize/pocketful?x=%ff",
        "/authorize/pocketful?session=" + "A" * 43,
        "/authorize/pocketful?retry=" + "A" * 43,
        f"/authorize/pocketful?return_to={RETURN_TO}?connected=1",
    ):
        for headers in ({}, {"accept": "application/json"}, {"sec_fetch_site": "cross-site"}, {"purpose": "prefetch"}):
            browser.get(target, **headers)
            the_world.request("GET", target, headers=headers, cookies=["__Host-brokerlink=canary"])
    for body in ("canary", '{"canary": "canary"}', '{"broker": "canary", "user_id": "canary"}'):
        the_world.request("POST", "/sessions", body=body)
        the_world.request("POST", "/confirm", body=body)
    the_world.confirm("canary", "canary")
    the_world.request("GET", "/attempts/canary")
    opened = the_world.session(broker="pocketful", user_id=USER, account=ACCOUNT)
    browser.get(str(opened.json["start_url"]))
    the_world.host = "canary.example.com"
    browser.get("/")
    browser.get("/authorize/pocketful")


def closed(the_world: World) -> None:
    the_world.environment["BROKERLINK_DIRECT_LOGIN_ACCOUNTS"] = ""
    the_world.environment["BROKERLINK_BROKER_APPS"] = json.dumps({**APPS, "fivepaisa": {"vendor_key": ["canary"]}})
    the_world.build()
    browser = the_world.browser()
    for target in ("/", "/authorize/pocketful", "/authorize/fivepaisa", "/callback/fivepaisa?RequestToken=canary"):
        browser.get(target)
        browser.get(target, accept="application/json")


def callbacks(the_world: World) -> None:
    login = begin_directly(the_world)
    for query in (
        "",
        "code=canary",
        "state=canary",
        "code=canary&state=" + "A" * 43,
        "x=%ff",
        "code=canary&code=canary",
    ):
        for browser in (login.browser, the_world.browser()):
            browser.get(f"/callback/pocketful?{query}")
            browser.get(f"/callback/canary?{query}")
            browser.request("POST", "/callback/pocketful", headers=FORM, body=query.replace("canary", "posted"))
            browser.request("POST", "/callback/pocketful", headers={"content-type": "canary"}, body=query)
    for code in ("denied", "canary", "connected"):
        login.browser.get(f"/result?error={code}")
        login.browser.get(f"/result?error={code}", accept="application/json")
    login.browser.get("/result?attempt=canary")
    function, event = the_world.event("GET", f"/callback/pocketful?code=canary&state={login.state}")
    event["requestContext"]["http"]["method"] = "HEAD"
    function_of = the_world.functions[function]
    for each in (event, {}, {"body": "canary"}):
        function_of(each, Context())


def failures(the_world: World) -> None:
    for steps in (
        [answer("<html>canary</html>")],
        [answer("<html>canary</html>", 503, retry_after="60")],
        [answer({"error": "invalid_grant", "error_description": "canary"}, 400)],
        [answer({"error": "invalid_client", "error_description": "canary"}, 401)] * 2,
        [answer({"access_token": ["canary"], "token_type": "bearer"})],
        [NoAnswer("timeout")],
        [NotSent("dns")] * 2,
        [AnswerTooLarge()],
        [RuntimeError("canary")],
        [pocketful()[0], answer({"status": "success", "data": {"client_id": "canary/account"}})],
        [pocketful()[0], answer("canary", 403)],
        pocketful(token="canary" * 1_000),
        pocketful(),
    ):
        login = begin_directly(the_world)
        login.browser.get(login.come_back(*steps).headers.get("location", "/"))
    for operation in ("Encrypt", "GetSecretValue", "GetItem", "UpdateItem", "PutItem"):
        for fault in (DOWN, REFUSED, RuntimeError("canary")):
            login = begin_directly(the_world)
            the_world.faults = {operation: fault}
            for accept in ("text/html", "application/json"):
                login.browser.get("/authorize/pocketful", accept=accept)
                login.browser.get(login.result, accept=accept)
            login.come_back(*pocketful())
            the_world.faults = {}
            the_world.clock.now += 60


def at_fivepaisa(the_world: World) -> None:
    for body in (
        {"head": {"Status": 0}, "body": {"Status": 0, "ClientCode": "50052770", "AccessToken": "canary-access-token"}},
        {"head": {"Status": 2, "StatusDescription": "canary"}, "body": None},
        {"head": {}, "body": {"Status": 2, "Message": "canary", "AccessToken": ""}},
        {"head": {}, "body": {"Status": 0, "ClientCode": "canary/", "AccessToken": "canary", "RefreshToken": "canary"}},
    ):
        browser = the_world.browser()
        state = browser.start("fivepaisa")
        the_world.http.script = [answer(body)]
        reply = browser.get(f"/callback/fivepaisa?RequestToken=canary-request-token&state={state}")
        browser.get(reply.location)


def failures_of_connections(the_world: World) -> None:
    login = begin(the_world, account=ACCOUNT)
    login.come_back(*pocketful(token="canary-access-token"))
    ways = (f"/connections/{USER}", "/connections/canary+canary", f"/connections/{USER}/pocketful/{ACCOUNT}")
    for operation in ("Query", "GetItem", "TransactWriteItems"):
        for fault in (DOWN, REFUSED, RuntimeError("canary")):
            the_world.faults = {operation: fault}
            for method, way in zip(("GET", "GET", "DELETE"), ways, strict=True):
                the_world.request(method, way)
            the_world.faults = {}
            the_world.clock.now += 60
    for way in (ways[2], ways[2], f"/connections/{USER}/canary!/{ACCOUNT}", f"/connections/{USER}/pocketful/canary!"):
        the_world.request("DELETE", way)
    the_world.request("GET", ways[0])


JOURNEYS: dict[str, Callable[[World], None]] = {
    **{name: situation(name) for name in SITUATIONS},
    "starts": starts,
    "closed": closed,
    "callbacks": callbacks,
    "failures": failures,
    "5paisa": at_fivepaisa,
    "failures of connections": failures_of_connections,
}


def walk(name: str) -> Walk:
    """Take a journey with everything logged that can be."""
    walked, output = Walk(), io.StringIO()
    root = logging.getLogger()
    handler, level = logging.StreamHandler(output), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(output), redirect_stderr(output), world(secrets=SECRETS) as the_world:
            walked.watch(the_world)
            JOURNEYS[name](the_world)
            walked.output = output.getvalue() + the_world.log.getvalue()
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    return walked
