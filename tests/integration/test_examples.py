"""The example strategies, with tokens from real logins on the local stack, against the brokers' simulators."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
import requests

from brokerlink.reader import TokenReader
from brokerlink.secret import Secret
from local.aws import worker_environment
from local.stack import Stack
from tests.integration.walker import Walker, attempt_of
from tests.kit import examples


@contextmanager
def example(name: str, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Load an example anew with the environment that a deployment beside the stack would give it."""
    variables = {
        **worker_environment(stack.aws_url),
        "BROKERLINK_TOKENS_TABLE": stack.outputs["TokensTableName"],
        "PROCESSED_EVENTS_TABLE": stack.consumer.physical_ids["ProcessedEvents"],
        "AWS_LAMBDA_FUNCTION_NAME": f"{name}-{time.monotonic_ns()}",
        "POCKETFUL_API": stack.simulators.pocketful_url,
        "FIVEPAISA_API": f"{stack.simulators.fivepaisa_url}/VendorsAPI/Service1.svc",
    }
    with examples.example(f"strategies/{name}.py", variables, monkeypatch) as module:
        yield module


def batch(*events: object) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": str(place), "body": json.dumps(event), "eventSource": "aws:sqs"}
            for place, event in enumerate(events)
        ]
    }


CONTEXT = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)


def announced(walker: Walker, broker: str) -> dict[str, Any]:
    """Log in; give the event."""
    reply = walker.log_in(broker)
    assert isinstance(walker.stack, Stack)
    return walker.stack.received.wait_for(lambda event: event["id"] == attempt_of(reply))


def test_fivepaisas_own_sdk_trades_with_the_token(
    stack: Stack, walker: Walker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    event = announced(walker, "fivepaisa")
    with example("fivepaisa_strategy", stack, monkeypatch) as strategy:
        assert strategy.handler(batch(event, event), CONTEXT) == {"batchItemFailures": []}
        assert capsys.readouterr().out == "fivepaisa 50052770: holds 0 securities\n"
        token = TokenReader().get(event)
        sent = [call["headers"]["Authorization"] for call in simulated(stack, "holdings")]
        assert sent.count(f"Bearer {token.access_token}") == 1
        # The SDK keeps what it sent: none of it may go into the next customer's call.
        other = replace(token, account="50052771", secret=Secret("another"))
        with strategy.client_of(other) as client:
            assert client.holdings() is None
    last = simulated(stack, "holdings")[-1]
    assert last["headers"]["Authorization"] == "Bearer another"
    assert json.loads(last["body"]) == {"head": {"key": token.app_key}, "body": {"ClientCode": "50052771"}}


def test_what_the_sdk_swallows_makes_the_event_come_again(
    stack: Stack, walker: Walker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    event = announced(walker, "fivepaisa")
    with example("fivepaisa_strategy", stack, monkeypatch) as strategy:
        monkeypatch.setattr(strategy, "API", f"{stack.simulators.fivepaisa_url}/nowhere")
        assert strategy.handler(batch(event), CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
        token = TokenReader().get(event)
    assert token.access_token not in "".join(capsys.readouterr())


def test_headers_and_envelope_are_what_fivepaisa_takes(
    stack: Stack, walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = announced(walker, "fivepaisa")
    with example("fivepaisa_strategy", stack, monkeypatch) as strategy:
        token = TokenReader().get(event)
        url = f"{strategy.API}/V3/Holding"
        taken = httpx.post(url, headers=token.headers, json=token.envelope()).json()["body"]
        other = httpx.post(url, headers=token.headers, json=token.envelope({"ClientCode": "50052771"})).json()["body"]
    assert (taken["Status"], other["Status"]) == (0, 9)


def test_pocketfuls_strategy_runs_for_everybody_and_for_who_comes_late(
    stack: Stack, walker: Walker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    event = announced(walker, "pocketful")
    with example("pocketful_strategy", stack, monkeypatch) as strategy:
        strategy.at_open({}, CONTEXT)
        assert "pocketful YA0002: may trade on BFO, BSE, MCX, NFO, NSE\n" in capsys.readouterr().out
    for opens, lines in (("23:59:59.999999", 0), ("00:00", 1)):
        # Loaded anew, since a function that has heard of an event does not hear of it again.
        with example("pocketful_strategy", stack, monkeypatch) as late:
            monkeypatch.setattr(late, "OPENS", late.time.fromisoformat(opens))
            assert late.on_late_login(batch(event), CONTEXT) == {"batchItemFailures": []}
        assert capsys.readouterr().out.count("may trade on") == lines


def test_a_customer_whom_pocketful_refuses_stops_nobody(
    stack: Stack, walker: Walker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    event = announced(walker, "pocketful")
    with example("pocketful_strategy", stack, monkeypatch) as strategy:
        everybody = len(list(strategy.reader.of_broker("pocketful")))
        walker.fault("pocketful", "identity", "status:500")
        strategy.at_open({}, CONTEXT)
        assert capsys.readouterr().out.count("may trade on") == everybody - 1
        walker.fault("pocketful", "identity", "status:500")
        with pytest.raises(requests.RequestException):
            strategy.trade(strategy.reader.get(event))


def simulated(stack: Stack, endpoint: str) -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = httpx.get(f"{stack.brokers_url}/simulator/requests", trust_env=False).json()
    return [call for call in every if call["endpoint"] == endpoint]
