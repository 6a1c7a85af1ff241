"""The handlers that Lambda calls, with every switch on that makes them talk: no secret comes out."""

from __future__ import annotations

import importlib
import io
import json
import logging
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest

from tests.kit.world import APPS, Context, Reply, World, world

TALKATIVE = {
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "POWERTOOLS_DEBUG": "false",
    "POWERTOOLS_SERVICE_NAME": "talkative",
    "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
}
# Nothing listens there: the exchange is tried for real, and nothing is sent.
NOWHERE = {"client_id": "c", "auth_base": "http://127.0.0.1:9", "api_base": "http://127.0.0.1:9"}


class LambdaContext(Context):
    function_name = "f"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:ap-south-1:123456789012:function:f"
    aws_request_id = "r"


def handler(name: str) -> Any:
    """Import a function's entry point as a cold start does."""
    sys.modules.pop(name, None)
    try:
        return importlib.import_module(name).handler
    finally:
        sys.modules.pop(name, None)


def test_handlers_at_debug_log_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [*root.handlers, logging.StreamHandler(output)])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    settings: dict[str, Any] = {
        "apps": {**APPS, "pocketful": NOWHERE},
        "secrets": {"pocketful": {"client_secret": "canary-client-secret"}},
        "BROKERLINK_BASE_URL": "http://127.0.0.1:8000",
    }
    with redirect_stdout(output), redirect_stderr(output), world(**settings) as made:
        for name, value in {**made.environment, **TALKATIVE}.items():
            monkeypatch.setenv(name, value)
        handlers = {name: handler(name) for name in ("authorize", "callback")}
        seen = journey(made, handlers)
    text = output.getvalue()
    assert '"message":"started"' in text
    assert '"code":"broker_unavailable"' in text
    assert not [secret for secret in (*seen, "canary") if secret in text]


def journey(made: World, handlers: dict[str, Any]) -> list[str]:
    """Start, come back with a grant, with an error, with rubbish; give the secrets on the way."""
    made.host = "127.0.0.1:8000"

    def ask(method: str, target: str, **more: Any) -> Reply:
        function, event = made.event(method, target, **more)
        return Reply(handlers[function](event, LambdaContext()))

    prepared = ask("POST", "/sessions", body=json.dumps({"broker": "pocketful", "user_id": "u", "account": "canary"}))
    start = ask("GET", str(prepared.json["start_url"]))
    row = made.attempt()
    state, key = start.query["state"], start.cookies["brokerlink"]
    cookies = [f"brokerlink={key}"]
    in_place = ask("GET", f"/callback/pocketful?code=canary&state={state}", cookies=cookies)
    assert in_place.status == 503
    ask("GET", f"/callback/pocketful?error=canary&state={state}", cookies=cookies)
    ask("GET", f"/callback/pocketful?code=canary&state={state}canary", cookies=["brokerlink=canary"])
    ask("GET", f"/result?attempt={row['attempt_id']}", cookies=cookies)
    ask("POST", "/confirm", body='{"attempt": "canary", "user_id": "canary"}')
    return [state, key, row["code_verifier"], str(prepared.json["start_url"]).rpartition("=")[2]]


def test_event_that_breaks_the_code_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output), world() as made:
        for name, value in {**made.environment, **TALKATIVE, "POWERTOOLS_SERVICE_NAME": "broken"}.items():
            monkeypatch.setenv(name, value)
        for name in ("authorize", "callback"):
            for event in ({}, {"canary": "canary"}, {"requestContext": {"requestId": "r"}, "body": "canary"}):
                assert Reply(handler(name)(event, LambdaContext())).status == 400
    assert "canary" not in output.getvalue()
