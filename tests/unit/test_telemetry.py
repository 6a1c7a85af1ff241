"""The metrics: their names, their dimensions, and which outcomes say that logins work."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from brokerlink.errors import FAILURES, Code
from brokerlink.telemetry import NAMESPACE, SUCCESS, Telemetry

# The customer's own doing: alarming on these would wake an operator who can do nothing.
CUSTOMERS_OWN = {Code.DENIED, Code.EXPIRED, Code.WRONG_BROWSER, Code.INVALID_REQUEST, Code.ACCOUNT_MISMATCH}


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    # As the template sets it: it must not become a dimension.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "callback")
    return Telemetry(Logger(service="test-telemetry"))


def emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]


def values(line: dict[str, Any]) -> dict[str, float]:
    return {each["Name"]: line[each["Name"]][0] for each in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}


def test_a_metric_has_the_stacks_namespace_and_the_broker_alone(
    telemetry: Telemetry, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry.count("announced", "pocketful")
    (line,) = emitted(capsys)
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == NAMESPACE
    assert described["Dimensions"] == [["broker"]]
    assert line["broker"] == "pocketful"


def test_a_metric_of_no_broker_says_none(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.count("busy")
    assert [line["broker"] for line in emitted(capsys)] == ["none"]


@pytest.mark.parametrize(("event", "success"), [("started", {}), ("held", {}), ("connected", {SUCCESS: 1})])
def test_a_login_has_succeeded_once_it_is_connected(
    telemetry: Telemetry, capsys: pytest.CaptureFixture[str], event: str, success: dict[str, int]
) -> None:
    telemetry.good(event, broker="pocketful", attempt_id="a")
    assert [values(line) for line in emitted(capsys)] == [{event: 1} | success]


@pytest.mark.parametrize("code", Code)
def test_a_failure_counts_against_success_unless_it_is_the_customers_own(
    telemetry: Telemetry, capsys: pytest.CaptureFixture[str], code: Code
) -> None:
    telemetry.failed(code, broker="pocketful", attempt_id="a")
    assert [values(line) for line in emitted(capsys)] == [
        {FAILURES[code].metric: 1} | ({} if code in CUSTOMERS_OWN else {SUCCESS: 0})
    ]


def test_what_touched_no_attempt_says_nothing_about_success(
    telemetry: Telemetry, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry.refused("state_unknown", broker="pocketful")
    assert [values(line) for line in emitted(capsys)] == [{"state_unknown": 1}]
