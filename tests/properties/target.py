"""Both functions as they are deployed, with a live login that no hostile request may touch."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest

from tests.kit.world import BASE_URL, RETURN_TO, Context, Reply
from tests.properties.asking import AUTHORIZATION, hashed
from tests.properties.brokers import Told
from tests.properties.requests import ACCOUNT, ATTEMPT, BROKER, COOKIE, KEY, OTHER_STATE, SESSION, STATE, with_live
from tests.properties.stage import Stage, check_headers

# What is answered to requests, whatever is wrong with them.
ANSWERS = {200, 201, 303, 400, 403, 404, 406, 410, 415}
# Where the browser may be sent: on our own host, to a broker's login, to the platform.
ANSWERS_LEAD_TO = ("/authorize/", "/callback/", "/result?", f"{BASE_URL}/", *AUTHORIZATION.values(), RETURN_TO)
WRITES = {"PutItem", "UpdateItem", "TransactWriteItems"}
ACCOUNTS = {"pocketful": "YA0002", "fivepaisa": "50052770"}


@dataclass
class LambdaContext(Context):
    """Lambda's context object, as Powertools reads it."""

    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:ap-south-1:123456789012:function:function"
    aws_request_id: str = "request"


class Target:
    """The functions' own handlers. `live` are the values of a login that has begun and waits for its callback."""

    def __init__(self, broker: str) -> None:
        self.broker = broker
        self.stage = Stage()
        self.stage.told.tell(Told(account=ACCOUNTS[broker]))
        self.handlers = {name: self._handler(name) for name in ("authorize", "callback")}
        prepared = self.stage.session(broker=broker, user_id="user-1", account=ACCOUNTS[broker]).json
        self.session = parse_qs(urlsplit(prepared["start_url"]).query)["session"][0]
        self.live: dict[str, str] = {}
        self.row: dict[str, Any] = {}
        self.begin()

    def _handler(self, function: str) -> Callable[[object, object], Any]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.stage.environment.items():
                patch.setenv(name, value)
            module = importlib.import_module(function)
        module.app = self.stage.functions[function]  # type: ignore[attr-defined]  # as it is put together there
        handler: Callable[[object, object], Any] = module.handler
        return handler

    def begin(self) -> None:
        """Begin the login that is live from now on."""
        browser = self.stage.browser()
        sent = parse_qs(urlsplit(browser.get(f"/authorize/{self.broker}").location).query)
        (state,) = sent["State" if self.broker == "fivepaisa" else "state"]
        self.live = {
            STATE: state,
            OTHER_STATE: state.swapcase(),
            ATTEMPT: hashed(state),
            KEY: browser.cookies[COOKIE],
            BROKER: self.broker,
            ACCOUNT: ACCOUNTS[self.broker],
            SESSION: self.session,
        }
        self.row = self._row()

    def _row(self) -> dict[str, Any]:
        key = {"attempt_id": {"S": self.live[ATTEMPT]}}
        found: dict[str, Any] = dict(self.stage.dynamodb.get_item(TableName="LoginAttempts", Key=key)["Item"])
        return found

    def hit(self, function: str, event: object) -> Reply:
        """Send an event, and check that the answer is one, and that the live login is as it was."""
        event = with_live(event, self.live)
        grants = len(self.stage.told.grants)
        self.stage.calls.clear()
        reply = Reply(self.handlers[function](event, LambdaContext()))
        check_answer(reply)
        assert not [name for name in (STATE, KEY, SESSION) if self.live[name] in self._logged()]
        assert reply.headers.get("location", "/result?").startswith(ANSWERS_LEAD_TO)
        assert reply.status in ANSWERS or (reply.status == 503 and "Not yet" in reply.body), reply.body[-400:]
        touched = bool(WRITES & set(self.stage.calls)) and self._row() != self.row
        if self._proves_itself(event):
            if touched:
                self.begin()
        else:
            assert not touched, "the live login was touched"
            assert len(self.stage.told.grants) == grants, "a grant was exchanged"
        return reply

    def _logged(self) -> str:
        log = self.stage.log
        lines = log.getvalue()
        log.seek(0)
        log.truncate()
        return lines

    def _proves_itself(self, event: Any) -> bool:
        """Say whether an event holds all that a callback of the live login must: less than this is never enough."""
        try:
            return (
                event["routeKey"] == "GET /callback/{broker}"
                and event["pathParameters"]["broker"] == self.broker
                and f"{COOKIE}={self.live[KEY]}" in [cookie.strip() for cookie in event["cookies"]]
                and self.live[STATE] in unquote_plus(event["rawQueryString"])
            )
        except (KeyError, TypeError, AttributeError):
            return False


def check_answer(reply: Reply) -> None:
    """Check what holds for every answer: the gateway can send it, and it carries our headers."""
    json.dumps(reply.payload, allow_nan=False)
    reply.body.encode()
    check_headers(reply)
    for value in (*reply.headers.values(), *reply.payload["cookies"]):
        assert value.isascii(), value
        assert value.isprintable(), value
