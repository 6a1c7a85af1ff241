"""The metrics that alarms and the dashboard name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.template.stack import Json, Stack, named

# As the template writes it.
OWN = "brokerlink/${AWS::StackName}"
_SEARCH = re.compile(r"SEARCH\('\{\"([^\"]+)\",([\w,]+)\} (.+)', '(\w+)', 300\)")
_NAME = re.compile(r'MetricName="(\w+)"')


@dataclass(frozen=True, order=True)
class Watched:
    """One metric in one statistic; dimensions are pairs of name and value."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str


def of_function(metric: str, name: str, stat: str) -> Watched:
    """Give one of Lambda's own metrics of a function."""
    return Watched("AWS/Lambda", metric, (("FunctionName", name),), stat)


def alarms(stack: Stack) -> dict[str, Json]:
    return stack.of_type("AWS::CloudWatch::Alarm")


def watched(alarm: Json) -> Iterator[Watched]:
    """Give the metrics that an alarm reads."""
    if "Metrics" not in alarm:
        yield _of(alarm, alarm["Statistic"])
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            assert query["ReturnData"] is False
            assert query["MetricStat"]["Period"] == 300
            yield _of(query["MetricStat"]["Metric"], query["MetricStat"]["Stat"])


def expression(alarm: Json) -> str:
    """Give the expression that an alarm compares with its threshold."""
    (found,) = (query["Expression"] for query in alarm["Metrics"] if query.get("ReturnData", True))
    return str(found)


def series(alarm: Json) -> dict[str, Watched]:
    """Give the metrics that an alarm's expression names, by the id it uses."""
    return {
        query["Id"]: _of(query["MetricStat"]["Metric"], query["MetricStat"]["Stat"])
        for query in alarm["Metrics"]
        if "MetricStat" in query
    }


def _of(metric: Json, stat: str) -> Watched:
    dimensions = ((each["Name"], named(each["Value"])) for each in metric.get("Dimensions", ()))
    return Watched(named(metric["Namespace"]), metric["MetricName"], tuple(dimensions), stat)


def dashboard(stack: Stack) -> Json:
    """Give the dashboard's body. What Fn::Sub puts in is a name or an ARN, which needs no escape."""
    body: Json = json.loads(stack.properties("Dashboard")["DashboardBody"]["Fn::Sub"])
    return body


def shown(stack: Stack) -> set[tuple[str, str, tuple[str, ...]]]:
    """Give each metric on the dashboard: namespace, name and the names of its dimensions."""
    return {
        metric
        for widget in dashboard(stack)["widgets"]
        for line in widget["properties"].get("metrics", ())
        for metric in _shown_by(line)
    }


def _shown_by(line: list[Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if not isinstance(line[0], dict):
        namespace, metric, *dimensions = (part for part in line if isinstance(part, str))
        yield namespace, metric, tuple(dimensions[::2])
        return
    found = _SEARCH.fullmatch(line[0]["expression"])
    assert found, line
    for name in _NAME.findall(found[3]):
        yield found[1], name, tuple(found[2].split(","))
