"""The HTTP functions on moto, with time, randomness and the brokers' answers in the test's hands."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, cast
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from moto import mock_aws

import authorize_app
import callback_app
import connections_app
from brokerlink.aws import AwsClients
from brokerlink.outbound import Outbound
from brokerlink.storage import from_wire
from brokerlink.telemetry import Telemetry
from tests.kit import emulated
from tests.kit.browser import Browser, Reply
from tests.kit.clients import client, token_key
from tests.kit.doubles import MIDNIGHT, MORNING, BrokerHttp, Clock, Context, answer, pocketful

__all__ = [
    "APPS",
    "BASE_URL",
    "MIDNIGHT",
    "MORNING",
    "RETURN_TO",
    "SECRETS",
    "BrokerHttp",
    "Browser",
    "Clock",
    "Context",
    "Reply",
    "World",
    "answer",
    "pocketful",
    "world",
]

BASE_URL = "https://login.example.com"
RETURN_TO = "https://app.example.com/brokers"
APPS = {"pocketful": {"client_id": "Ybg3ab2VXM"}, "fivepaisa": {"vendor_key": "vendor-key"}}
SECRETS = {
    "pocketful": {"client_secret": "s:+%/ é"},
    "fivepaisa": {"encryption_key": "canary-encryption-key", "user_id": "canary-user-id"},
}


_NUMBERS = itertools.count()

_ROUTES = (
    ("GET /", "authorize", re.compile(r"/")),
    ("GET /authorize/{broker}", "authorize", re.compile(r"/authorize/(?P<broker>[^/]+)")),
    ("POST /sessions", "authorize", re.compile(r"/sessions")),
    ("GET /callback/{broker}", "callback", re.compile(r"/callback/(?P<broker>[^/]+)")),
    ("POST /callback/{broker}", "callback", re.compile(r"/callback/(?P<broker>[^/]+)")),
    ("GET /result", "callback", re.compile(r"/result")),
    ("POST /confirm", "callback", re.compile(r"/confirm")),
    ("GET /attempts/{attempt_id}", "callback", re.compile(r"/attempts/(?P<attempt_id>[^/]+)")),
    ("GET /connections/{user_id}", "connections", re.compile(r"/connections/(?P<user_id>[^/]+)")),
    (
        "DELETE /connections/{user_id}/{broker}/{account}",
        "connections",
        re.compile(r"/connections/(?P<user_id>[^/]+)/(?P<broker>[^/]+)/(?P<account>[^/]+)"),
    ),
)


class World:
    """Three functions, three tables, a key, a secret, a clock and the brokers' answers.

    `host` and `stage` are where requests arrive. `calls` are the AWS operations that the functions called; `faults` are
    what befalls them: an exception raised instead of a call, by the operation's name. `log` is what they logged.
    """

    host = "login.example.com"
    stage = "$default"

    def __init__(
        self, apps: Mapping[str, Any] = APPS, secrets: Mapping[str, Any] = SECRETS, **environment: str
    ) -> None:
        self.clock = Clock()
        self.http = BrokerHttp()
        self.dynamodb = client("dynamodb")
        self.kms = client("kms")
        self.secretsmanager = client("secretsmanager")
        emulated.create_tables()
        self.key = token_key()
        self.secret = emulated.create_secret(json.dumps(secrets))
        self.environment = {
            "BROKERLINK_ATTEMPTS_TABLE": "LoginAttempts",
            "BROKERLINK_TOKENS_TABLE": "Tokens",
            "BROKERLINK_LINKS_TABLE": "Links",
            "BROKERLINK_TOKEN_KEY": self.key,
            "BROKERLINK_SECRET": self.secret,
            "BROKERLINK_BASE_URL": BASE_URL,
            "BROKERLINK_BROKER_APPS": json.dumps(apps),
            "BROKERLINK_RETURN_TO": RETURN_TO,
            "BROKERLINK_DIRECT_LOGIN_ACCOUNTS": "*",
            **environment,
        }
        self.aws = self.clients()
        self.log = io.StringIO()
        self.calls: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.build()

    def clients(self) -> AwsClients:
        """Give the functions' AWS clients, as new."""
        lent = _lent_clients()
        lent.lend(self)
        return lent

    def called(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Note a call that the functions are about to make. Raises what befalls it."""
        del parameters
        self.calls.append(operation)
        if operation in self.faults:
            raise self.faults[operation]

    def answered(self, operation: str) -> None:
        """Hear of a call that AWS has carried out. May raise what befalls its answer."""

    def build(self) -> None:
        """Put the functions together, as a cold start does."""
        # Powertools keeps a logger, with its stream, for each service name.
        telemetry = Telemetry(Logger(service=f"test-{next(_NUMBERS)}", stream=self.log, level="DEBUG"))
        outbound = cast("Outbound", self.http)
        self.functions = {
            "authorize": authorize_app.make_app(
                self.environment, telemetry, self.aws, clock=self.clock, monotonic=self.clock
            ),
            "callback": callback_app.make_app(
                self.environment,
                telemetry,
                self.aws,
                outbound,
                clock=self.clock,
                monotonic=self.clock,
                sleep=self.clock.sleep,
            ),
            "connections": connections_app.make_app(
                self.environment,
                telemetry,
                self.aws,
                clock=self.clock,
                monotonic=self.clock,
                sleep=self.clock.sleep,
            ),
        }

    def browser(self) -> Browser:
        return Browser(self)

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] = {},
        cookies: list[str] | None = None,
        body: str | None = None,
    ) -> Reply:
        """Send a request as the gateway would."""
        function, event = self.event(method, target, headers=headers, cookies=cookies, body=body)
        return Reply(self.functions[function](event, Context()))

    def event(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] = {},
        cookies: list[str] | None = None,
        body: str | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """Give the function that a request goes to, and the event that the gateway makes of it."""
        path, _, query = target.removeprefix(self.environment["BROKERLINK_BASE_URL"]).partition("?")
        for route, function, pattern in _ROUTES:
            match = pattern.fullmatch(path)
            if match and route.startswith(f"{method} "):
                # Unlike what its name says, the gateway decodes it.
                raw_path = unquote(path if self.stage == "$default" else f"/{self.stage}{path}")
                return function, {
                    "version": "2.0",
                    "routeKey": route,
                    "rawPath": raw_path,
                    "rawQueryString": query,
                    "headers": {"host": self.host, **{k.replace("_", "-"): v for k, v in headers.items()}},
                    "cookies": cookies or [],
                    "pathParameters": {name: unquote(value) for name, value in match.groupdict().items()},
                    "requestContext": {
                        "http": {"method": method, "path": raw_path},
                        "domainName": self.host,
                        "stage": self.stage,
                        "requestId": "request",
                    },
                    "isBase64Encoded": False,
                    **({"body": body} if body is not None else {}),
                }
        raise AssertionError(f"no route for {method} {path}")

    def lines(self) -> list[dict[str, Any]]:
        """Give the functions' log, a JSON object a line."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def session(self, **body: str) -> Reply:
        return self.request("POST", "/sessions", body=json.dumps(body))

    def confirm(self, attempt: str, user_id: str) -> Reply:
        return self.request("POST", "/confirm", body=json.dumps({"attempt": attempt, "user_id": user_id}))

    def connections(self, user_id: str) -> Reply:
        return self.request("GET", f"/connections/{user_id}")

    def revoke(self, user_id: str, broker: str, account: str) -> Reply:
        return self.request("DELETE", f"/connections/{user_id}/{broker}/{account}")

    def attempts(self) -> list[dict[str, Any]]:
        return [dict(from_wire(item)) for item in self.dynamodb.scan(TableName="LoginAttempts")["Items"]]

    def attempt(self) -> dict[str, Any]:
        (only,) = [row for row in self.attempts() if "browser_hash" in row]
        return only

    def links(self) -> list[dict[str, Any]]:
        return [dict(from_wire(item)) for item in self.dynamodb.scan(TableName="Links")["Items"]]

    def tokens(self) -> list[dict[str, Any]]:
        return [dict(from_wire(item)) for item in self.dynamodb.scan(TableName="Tokens")["Items"]]


class _LentClients(AwsClients):
    """The functions' clients, lent to one world after the other: to make them takes longer than most tests."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}
        self._session.register("before-call", self._call)
        self._session.register("after-call", self._answer)

    def lend(self, borrower: World) -> None:
        self._borrower = borrower
        self.monotonic = borrower.clock
        self.no_try_after = float("inf")

    def client(self, service: Any) -> Any:
        if service not in self._made:
            self._made[service] = super().client(service)
        return self._made[service]

    def _call(self, **event: Any) -> None:
        self._borrower.called(event["model"].name, event["params"])

    def _answer(self, **event: Any) -> None:
        self._borrower.answered(event["model"].name)


@cache
def _lent_clients() -> _LentClients:
    return _LentClients()


@contextmanager
def world(**settings: Any) -> Iterator[World]:
    """Give a world on a fresh moto."""
    with mock_aws():
        yield World(**settings)
