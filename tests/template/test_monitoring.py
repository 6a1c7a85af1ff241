"""Alarms and dashboard name the metrics that the functions emit, and the alarms mean what they say."""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aws_lambda_powertools import Logger

import brokerlink.brokers
from brokerlink import telemetry
from brokerlink.errors import FAILURES, Code, LoginError, SettingError, Step
from brokerlink.expiry import IST
from tests.kit.situations import begin_directly
from tests.kit.world import pocketful, world
from tests.template.check_alarms import BROKERS
from tests.template.metric_math import value_at
from tests.template.metrics import OWN, alarms, dashboard, expression, series, shown, watched
from tests.template.stack import FUNCTIONS, ROOT, Stack, named

NAMESPACE = "brokerlink/a-stack"
# In the functions' code: what they count by name. The rest is counted by a failure's code.
_COUNTED = re.compile(r'\.(?:count|good|refused)\(\s*"(\w+)"|_refuse\(\s*request,\s*broker,\s*"(\w+)"|"(state_\w+)"')


@pytest.fixture(autouse=True)
def the_stacks_environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that Powertools reads, as the template sets them."""
    for name in FUNCTIONS:
        variables = stack.properties(name)["Environment"]["Variables"]
        assert named(variables["POWERTOOLS_METRICS_NAMESPACE"]) == OWN
    monkeypatch.setattr(telemetry, "NAMESPACE", NAMESPACE)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "callback")


def emitted(printed: str) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Read namespace, name and dimensions of each metric that was printed, as CloudWatch reads them."""
    return {
        (described["Namespace"].replace(NAMESPACE, OWN), metric["Name"], tuple((name, line[name]) for name in names))
        for line in (json.loads(text) for text in printed.splitlines() if text.startswith('{"_aws"'))
        for described in line["_aws"]["CloudWatchMetrics"]
        for names in described["Dimensions"]
        for metric in described["Metrics"]
    }


def counted_by_name() -> Iterator[str]:
    for folder in ("functions", "layers/brokerlink"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for found in _COUNTED.findall(path.read_text(encoding="utf-8")):
                yield from filter(None, found)


def own(stack: Stack) -> set[tuple[str, str]]:
    """The metrics of the functions that are watched: the filters' have no dimension."""
    return {
        (each.metric, broker)
        for alarm in alarms(stack).values()
        for each in watched(alarm)
        if each.namespace == OWN and each.dimensions
        for name, broker in each.dimensions
        if name == "broker"
    }


def test_what_the_alarms_read_is_emitted_by_logins_that_end_so(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both functions, walked: a login that succeeds, one without an answer, and a broker without its settings."""
    with world(apps={"pocketful": {"client_id": "app"}, "fivepaisa": {}}) as made:
        begin_directly(made).come_back(*pocketful())
        begin_directly(made).come_back(LoginError(Code.OUTCOME_UNKNOWN, Step.EXCHANGE, "no answer"))
        assert made.browser().get("/authorize/fivepaisa").status == 503
    heard = emitted(capsys.readouterr().out)
    assert {(OWN, metric, (("broker", "pocketful"),)) for metric in ("started", "connected", "login_success")} <= heard
    assert (OWN, "outcome_unknown", (("broker", "pocketful"),)) in heard
    assert (OWN, "app_misconfigured", (("broker", "fivepaisa"),)) in heard
    assert {metric for metric, _ in own(stack)} <= {metric for _, metric, _ in heard}


def everything_counted(capsys: pytest.CaptureFixture[str]) -> set[tuple[str, str, tuple[str, ...]]]:
    """Every metric that the code knows, by the code's own telemetry."""
    tell = telemetry.Telemetry(Logger(service="test-monitoring"))
    for name in counted_by_name():
        tell.count(name, "pocketful")
    for code in Code:
        tell.failed(code, broker="pocketful", attempt_id=None)
    tell.misconfigured(SettingError("BrokerApps", "is missing"))
    return {
        (space, name, tuple(each for each, _ in dimensions))
        for space, name, dimensions in emitted(capsys.readouterr().out)
    }


def test_the_names_in_the_code_were_found() -> None:
    found = set(counted_by_name())
    assert {"started", "connected", "held", "announced", "state_unknown", "direct_login_closed"} <= found


def test_the_dashboard_shows_what_is_counted_and_nothing_else(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    filtered = {
        (OWN, change["MetricName"], ())
        for each in stack.of_type("AWS::Logs::MetricFilter").values()
        for change in each["MetricTransformations"]
    }
    assert {metric for metric in shown(stack) if metric[0] == OWN} == everything_counted(capsys) | filtered


def test_what_is_alarmed_is_on_the_dashboard(stack: Stack) -> None:
    names = {(each.namespace, each.metric) for alarm in alarms(stack).values() for each in watched(alarm)}
    # The share of throttled calls is of those that were taken; what is shown is how many were not.
    assert names - {("AWS/Lambda", "Invocations")} <= {(space, name) for space, name, _ in shown(stack)}
    (status,) = (each for each in dashboard(stack)["widgets"] if each["type"] == "alarm")
    assert {text[2:-1].removesuffix(".Arn") for text in status["properties"]["alarms"]} == alarms(stack).keys()


def test_widgets_do_not_cover_each_other(stack: Stack) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard(stack)["widgets"]:
        place = {
            (widget["x"] + across, widget["y"] + down)
            for across in range(widget["width"])
            for down in range(widget["height"])
        }
        assert max(x for x, _ in place) < 24
        assert not place & taken, widget["properties"]["title"]
        taken |= place


def test_every_broker_that_is_shipped_is_watched() -> None:
    modules = {module.name for module in pkgutil.iter_modules(brokerlink.brokers.__path__)}
    shipped = modules - {"account", "base", "door", "oauth2"}
    assert set(BROKERS) == shipped, "copy a broker's block of alarms in template.yaml, and name it in check_alarms"


@pytest.mark.parametrize("broker", BROKERS)
@pytest.mark.parametrize(
    ("clock", "share", "logins", "raises"),
    [
        ("07:55", 0.1, 500, False),
        ("08:00", 0.1, 500, True),
        ("08:25", 0.1, 500, True),
        ("08:30", 0.1, 500, True),
        ("09:25", 0.1, 500, True),
        ("09:30", 0.1, 500, False),
        ("20:30", 0.1, 500, False),
        ("08:45", 0.79, 500, True),
        ("08:45", 0.8, 500, False),
        ("08:45", 0.0, 10, True),
        ("08:45", 0.0, 9, False),
    ],
)
def test_logins_that_fail_in_the_morning_raise_the_alarm(
    stack: Stack,
    broker: str,
    clock: str,
    share: float,
    logins: int,
    raises: bool,  # noqa: FBT001 - a column
) -> None:
    alarm = alarms(stack)[f"{broker.capitalize()}LoginsFailAlarm"]
    hours, minutes = map(int, clock.split(":"))
    moment = datetime(2026, 11, 24, hours, minutes, tzinfo=IST)
    found = value_at(expression(alarm), {"share": share, "logins": logins}, moment)
    assert found is not None
    assert (found < alarm["Threshold"]) is raises


def test_a_morning_without_a_login_raises_nothing(stack: Stack) -> None:
    for minute in range(0, 24 * 60, 5):
        moment = datetime(2026, 11, 24, tzinfo=IST) + timedelta(minutes=minute)
        for name, alarm in alarms(stack).items():
            if "Metrics" in alarm:
                found = value_at(expression(alarm), {}, moment)
                above = alarm["ComparisonOperator"].startswith("Greater")
                assert found is None or (found <= alarm["Threshold"] if above else found >= alarm["Threshold"]), name


@pytest.mark.parametrize(
    ("name", "values", "raises"),
    [
        ("PocketfulOutcomeUnknownAlarm", {"unknown": 3, "logins": 100}, True),
        ("PocketfulOutcomeUnknownAlarm", {"unknown": 2, "logins": 2}, False),
        ("PocketfulOutcomeUnknownAlarm", {"unknown": 20, "logins": 1000}, False),
        ("PocketfulOutcomeUnknownAlarm", {"logins": 1000}, False),
        ("ServerErrorsAlarm", {"failed": 6, "requests": 100}, True),
        ("ServerErrorsAlarm", {"failed": 4, "requests": 4}, False),
        ("RequestsRefusedAlarm", {"refused": 5, "requests": 100}, True),
        ("RequestsRefusedAlarm", {"refused": 5, "requests": 1000}, False),
        ("CallbackThrottledAlarm", {"throttled": 5}, True),
        ("CallbackThrottledAlarm", {"throttled": 5, "taken": 1000}, False),
        ("CallbackThrottledAlarm", {"throttled": 50, "taken": 1000}, True),
        ("AuthorizeThrottledAlarm", {"throttled": 4}, False),
        ("CallbackSlowAlarm", {"p99": 10_001, "calls": 20}, True),
        ("CallbackSlowAlarm", {"p99": 28_000, "calls": 19}, False),
        ("CallbackSlowAlarm", {"p99": 9_000, "calls": 5000}, False),
    ],
)
def test_a_share_above_its_threshold_raises_the_alarm(
    stack: Stack,
    name: str,
    values: dict[str, float],
    raises: bool,  # noqa: FBT001 - a column
) -> None:
    alarm = alarms(stack)[name]
    assert values.keys() <= series(alarm).keys()
    found = value_at(expression(alarm), values, datetime(2026, 11, 24, 12, tzinfo=IST))
    assert found is not None
    assert (found > alarm["Threshold"]) is raises


def test_the_callback_is_slow_well_before_a_request_token_dies(stack: Stack) -> None:
    """5paisa's request token lives about 30 seconds, and the page is given up after 25."""
    assert alarms(stack)["CallbackSlowAlarm"]["Threshold"] * 2 < 25_000


def test_the_codes_that_an_operator_answers_for_are_logged_as_errors() -> None:
    assert {code for code, row in FAILURES.items() if row.operator} == {Code.APP_MISCONFIGURED, Code.INTERNAL}


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_alarm_has_its_entry_in_the_runbook(stack: Stack) -> None:
    for name, alarm in alarms(stack).items():
        sentence, _, place = alarm["AlarmDescription"].rpartition(". ")
        path, _, anchor = place.partition("#")
        assert sentence, name
        assert anchor in _anchors(ROOT / path), name


def test_the_cost_of_the_alarms_is_said_rightly(stack: Stack) -> None:
    metrics = sum(len(list(watched(alarm))) for alarm in alarms(stack).values())
    assert f"| {metrics} alarm metrics at $0.10 " in (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
