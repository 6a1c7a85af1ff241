"""The parts of an attack: the stack, its victim's login, browsers that can be made to send anything."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from brokerlink.attempts import digest
from brokerlink.storage import Value, from_wire, to_wire
from brokerlink.web.masking import mask_account
from local.simulators.recorder import RecordedRequest
from local.stack import Stack
from tests.attacks.over_http.scripted import ScriptedBroker
from tests.attacks.over_http.wire import Answer, Api, Header, check
from tests.integration.walker import Walker
from tests.privileges.calls import Call
from tests.privileges.recorder import Recorder
from tests.simulators.standard_server import StandardServer

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Accept", "application/json")
ACCOUNT = "YA0002"
# As pages show it.
MASKED = mask_account(ACCOUNT)
_GRANTS = ("code", "RequestToken")
_AUTHORIZE, _PUT = "AuthorizeFunction", "dynamodb:PutItem"
_HTTP_FUNCTIONS = {_AUTHORIZE, "CallbackFunction"}


@dataclass
class Scene:
    """A running stack, seen from before and from behind.

    `secrets` are all that were seen in these tests and must never turn up elsewhere; `recorder` has heard what the
    functions asked of AWS. `issuer` is the broker that names itself in its callbacks, `scripted` the one that answers
    as it is told.
    """

    stack: Stack
    recorder: Recorder
    issuer: StandardServer
    scripted: ScriptedBroker
    secrets: set[str] = field(default_factory=set)

    @cached_property
    def walker(self) -> Walker:
        """Presses the buttons at the brokers, and signs for the platform's backend."""
        return Walker(self.stack)

    @cached_property
    def api(self) -> Api:
        return Api(self.stack.base_url.removeprefix("http://"))

    @property
    def return_to(self) -> str:
        """The one prefix below which a login may end."""
        return f"{self.stack.base_url}/example/"

    def browser(self) -> Browser:
        return Browser(self)

    def session(self, **body: str) -> str:
        """Prepare a login as the platform does; give its start URL's path and query."""
        start_url = self.walker.session(**{"broker": "pocketful", "user_id": "asha", **body})
        self.secrets.add(start_url.rpartition("=")[2])
        return start_url.removeprefix(self.stack.base_url)

    def held(self, user_id: str) -> Login:
        """Give a login that ended well at the broker, and waits for the platform to say that `user_id` is present."""
        login = self.browser().login(self.session(user_id=user_id, return_to=f"{self.return_to}return"))
        assert login.finish().query["status"] == "confirm"
        return login

    def confirm(self, attempt: str, user_id: str) -> Answer:
        return self.backend("POST", "/confirm", {"attempt": attempt, "user_id": user_id})

    def backend(self, method: str, path: str, body: object = None) -> Answer:
        """Ask as the platform's backend."""
        reply = self.walker.backend(method, path, body)
        answer = Answer(reply.status_code, tuple(reply.headers.multi_items()), reply.content)
        check(answer)
        return answer

    @property
    def rows_made(self) -> int:
        """Say how many rows, attempts and sessions, were put into LoginAttempts so far."""
        return sum(n for call, n in self._calls() if call.action == _PUT and call.caller == _AUTHORIZE)

    def session_row(self, user_id: str) -> dict[str, Any]:
        """Give the one session of a user."""
        pages = self.stack.clients.dynamodb.get_paginator("scan").paginate(TableName=self._attempts_table)
        rows = [dict(from_wire(item)) for page in pages for item in page["Items"]]
        (only,) = [row for row in rows if str(row["attempt_id"]).startswith("session#") and row["user_id"] == user_id]
        return only

    def row(self, attempt_id: str) -> dict[str, Any]:
        """Give an attempt's row."""
        key = to_wire({"attempt_id": attempt_id})
        table = self._attempts_table
        found = self.stack.clients.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        return dict(from_wire(found.get("Item", {})))

    def rewrite(self, attempt_id: str, **attributes: Value) -> None:
        """Change an attempt's row behind the functions' backs: time cannot be made to pass, but a row can be old."""
        item = to_wire(self.row(attempt_id) | attributes)
        self.stack.clients.dynamodb.put_item(TableName=self._attempts_table, Item=item)

    def remove(self, attempt_id: str) -> None:
        """Remove an attempt's row, as its time to live does."""
        key = to_wire({"attempt_id": attempt_id})
        self.stack.clients.dynamodb.delete_item(TableName=self._attempts_table, Key=key)

    def token(self, user_id: str, broker: str = "pocketful", account: str = ACCOUNT) -> dict[str, Any] | None:
        """Give a row of Tokens."""
        found = self.walker.token_row(user_id, f"{broker}#{account}")
        return None if found is None else dict(from_wire(found))

    def remove_token(self, user_id: str, broker: str, account: str) -> None:
        """Remove a row of Tokens."""
        key = to_wire({"user_id": user_id, "connection": f"{broker}#{account}"})
        table = self.stack.deployment.outputs["TokensTableName"]
        self.stack.clients.dynamodb.delete_item(TableName=table, Key=key)

    def exchange_of(self, login: Login) -> RecordedRequest:
        """Give the one request that brought a login's grant to its broker."""
        seen = self.stack.simulators.recorder.requests(endpoint="token")
        (only,) = [request for request in seen if login.grant in (request.body or "")]
        return only

    def exchanges(self, grant: str) -> int:
        """Say how often a broker's token endpoint saw the grant."""
        seen = self.stack.simulators.recorder.requests(endpoint="token")
        return sum(grant in (request.body or "") for request in seen)

    @property
    def asked(self) -> int:
        """Say how many calls the two HTTP functions have made to AWS so far."""
        return sum(n for call, n in self._calls() if call.caller in _HTTP_FUNCTIONS)

    def mark(self, log: str = "callback") -> int:
        """Give the place in a log at which what is logged from now on begins."""
        return (self.stack.log_folder / f"{log}.jsonl").stat().st_size

    def lines(self, since: int, wanted: str, log: str = "callback") -> list[dict[str, Any]]:
        """Give what was logged since a mark, as soon as the message or metric `wanted` is among it.

        Every line has to be one JSON object.
        """
        # A function has answered before the stack has read what it printed.
        for _ in range(200):
            with (self.stack.log_folder / f"{log}.jsonl").open() as file:
                file.seek(since)
                lines: list[dict[str, Any]] = [json.loads(line) for line in file.read().splitlines()]
            if any(wanted in line or line.get("message") == wanted for line in lines):
                return lines
            time.sleep(0.05)
        raise AssertionError(f"nothing was logged about {wanted}")

    def _calls(self) -> tuple[tuple[Call, int], ...]:
        # At once: the functions behind the events call meanwhile.
        return tuple(self.recorder.calls.items())

    @property
    def _attempts_table(self) -> str:
        return self.stack.deployment.outputs["LoginAttemptsTableName"]


@dataclass
class Browser:
    """A browser, or what plays one: keeps cookies, and sends whatever it is told."""

    scene: Scene
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, target: str, *headers: Header, unavailable: bool = False) -> Answer:
        return self._keep(self.scene.api.ask("GET", target, *self._cookie(), *headers, unavailable=unavailable))

    def post(self, target: str, body: bytes, *headers: Header) -> Answer:
        return self._keep(self.scene.api.ask("POST", target, *self._cookie(), *(headers or (FORM,)), body=body))

    def start(self, target: str = "/authorize/pocketful") -> str:
        """Begin a login; give the broker's URL."""
        answer = self.get(target)
        assert answer.status == 303, answer
        return answer.location

    def login(self, target: str = "/authorize/pocketful", button: int = 0, **fields: str) -> Login:
        """Log in at the broker, with other things typed into its form if told so, and stop before coming back."""
        broker_url = self.start(target)
        callback = self.scene.walker.at_broker(broker_url, button, **fields)
        login = Login(self.scene, self, callback.removeprefix(self.scene.stack.base_url))
        self.scene.secrets |= {login.state, self.cookies["brokerlink"], *([login.grant] if login.grant else [])}
        login.before = login.row()
        return login

    def outcome(self, attempt_id: str) -> Any:
        """Ask for an outcome as JSON."""
        return self.get(f"/result?attempt={attempt_id}", JSON).json

    def _cookie(self) -> list[Header]:
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return [("Cookie", pairs)] if pairs else []

    def _keep(self, answer: Answer) -> Answer:
        self.cookies |= answer.cookies
        return answer


@dataclass
class Login:
    """A login that its customer has finished at the broker: `browser` is about to come back to `callback`."""

    scene: Scene
    browser: Browser
    callback: str
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.callback.partition("?")[0]

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.callback).query))

    @property
    def state(self) -> str:
        return self.parameters["state"]

    @property
    def grant(self) -> str:
        """The code or request token; empty where the customer declined."""
        return next((self.parameters[name] for name in _GRANTS if name in self.parameters), "")

    @property
    def attempt_id(self) -> str:
        return digest(self.state)

    def row(self) -> dict[str, Any]:
        return self.scene.row(self.attempt_id)

    def finish(self) -> Answer:
        """Let the customer's own browser come back."""
        return self.browser.get(self.callback)

    def outcome(self) -> Any:
        return self.browser.outcome(self.attempt_id)

    def assert_untouched(self) -> None:
        """What happened so far has sent nothing to the broker, and written nothing."""
        assert self.scene.exchanges(self.grant) == 0
        assert self.row() == self.before

    def assert_unharmed(self) -> None:
        """What happened so far is as nothing: the genuine callback succeeds, with one exchange."""
        self.assert_untouched()
        assert self.finish().status == 303
        assert self.outcome()["status"] == "connected"
        assert self.scene.exchanges(self.grant) == 1
