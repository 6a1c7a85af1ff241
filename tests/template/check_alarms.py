"""What wakes a person: each alarm, what it watches, and that silence is no trouble."""

from __future__ import annotations

import re

from tests.template.metrics import OWN, Watched, alarms, expression, of_function, watched
from tests.template.stack import Stack, named

BROKERS = ("pocketful", "fivepaisa")
_API = "AWS/ApiGateway"


def _api(metric: str) -> Watched:
    return Watched(_API, metric, (("ApiId", "HttpApi"),), "Sum")


def _own(metric: str, stat: str = "Sum", broker: str | None = None) -> Watched:
    return Watched(OWN, metric, () if broker is None else (("broker", broker),), stat)


_LETTERS = Watched(
    "AWS/SQS",
    "ApproximateNumberOfMessagesVisible",
    (("QueueName", "AnnounceDeadLetters.QueueName"),),
    "Maximum",
)
WATCHED = {
    "ServerErrorsAlarm": {_api("5xx"), _api("Count")},
    "RequestsRefusedAlarm": {_own("refused_by_gateway"), _api("Count")},
    "AuthorizeThrottledAlarm": {
        of_function("Throttles", "AuthorizeFunction", "Sum"),
        of_function("Invocations", "AuthorizeFunction", "Sum"),
    },
    "CallbackThrottledAlarm": {
        of_function("Throttles", "CallbackFunction", "Sum"),
        of_function("Invocations", "CallbackFunction", "Sum"),
    },
    "CallbackSlowAlarm": {
        of_function("Duration", "CallbackFunction", "p99"),
        of_function("Invocations", "CallbackFunction", "Sum"),
    },
    "AuthorizeErrorsAlarm": {of_function("Errors", "AuthorizeFunction", "Sum")},
    "CallbackErrorsAlarm": {of_function("Errors", "CallbackFunction", "Sum")},
    "AnnounceLateAlarm": {of_function("IteratorAge", "AnnounceFunction", "Maximum")},
    "AnnounceDeadLettersAlarm": {_LETTERS},
    "OperatorMustActAlarm": {_own("error_lines")},
}
WATCHED_AT_EACH_BROKER = {
    "LoginsFailAlarm": ("login_success", "Average"),
    "OutcomeUnknownAlarm": ("outcome_unknown", "Sum"),
    "AppMisconfiguredAlarm": ("app_misconfigured", "Sum"),
}


def what_customers_feel_raises_an_alarm(stack: Stack) -> None:
    expected = dict(WATCHED)
    for broker in BROKERS:
        for name, (metric, stat) in WATCHED_AT_EACH_BROKER.items():
            counted = {_own("login_success", "SampleCount", broker)} if name != "AppMisconfiguredAlarm" else set()
            expected[f"{broker.capitalize()}{name}"] = {_own(metric, stat, broker)} | counted
    assert {name: set(watched(alarm)) for name, alarm in alarms(stack).items()} == expected


def every_broker_is_watched_alike(stack: Stack) -> None:
    """One block is the other with another name in it."""
    first, *others = (
        {
            name.removeprefix(broker.capitalize()): re.sub(rf"\b{broker}\b", "broker", str(alarm))
            for name, alarm in alarms(stack).items()
            if name.startswith(broker.capitalize())
        }
        for broker in BROKERS
    )
    assert first.keys() == WATCHED_AT_EACH_BROKER.keys()
    assert all(other == first for other in others)


def a_share_has_a_minimum_count(stack: Stack) -> None:
    shares = {name: expression(alarm) for name, alarm in alarms(stack).items() if "Metrics" in alarm}
    assert len(shares) == 2 * len(BROKERS) + 5
    for name, said in shares.items():
        assert re.match(r"IF\(.*\b[a-z]+ >= (3|5|10|20)\b", said), name


def silence_is_no_trouble(stack: Stack) -> None:
    for name, alarm in alarms(stack).items():
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["EvaluationPeriods"] <= 3, name


def nobody_is_told_by_default(stack: Stack) -> None:
    assert not [name for name, alarm in alarms(stack).items() if "AlarmActions" in alarm]


def what_the_filters_count_is_in_this_stacks_logs(stack: Stack) -> None:
    counted = {
        (
            named(each["LogGroupName"]),
            each["FilterPattern"],
            *((named(change["MetricNamespace"]), change["MetricName"]) for change in each["MetricTransformations"]),
        )
        for each in stack.of_type("AWS::Logs::MetricFilter").values()
    }
    assert counted == {
        ("AccessLogGroup", '{ $.status = "429" }', (OWN, "refused_by_gateway")),
        *(
            (f"{function}LogGroup", '{ $.level = "ERROR" }', (OWN, "error_lines"))
            for function in ("Authorize", "Callback", "Announce", "Connections", "Remind")
        ),
    }
