"""Warnings and reminders: their schedules in Indian time, who is called by them, and who is written to."""

from __future__ import annotations

import json

from tests.template.iam import Grant, role_grants
from tests.template.metrics import alarms, of_function, watched
from tests.template.options import EMAIL, EXPIRING
from tests.template.stack import Stack, listed, named

PARAMETERS = {**EXPIRING, **EMAIL}
RUNS = {"EndingSchedule": ("ending", "cron(0/15 * * * ? *)"), "ReminderTimes": ("reminder", "ReminderSchedule")}


def each_run_is_told_when_it_was_scheduled_in_indian_time(stack: Stack) -> None:
    schedules = stack.of_type("AWS::Scheduler::Schedule")
    assert schedules.keys() == RUNS.keys()
    for name, (run, when) in RUNS.items():
        schedule = schedules[name]
        assert named(schedule["ScheduleExpression"]) == when, name
        assert schedule["ScheduleExpressionTimezone"] == "Asia/Kolkata", name
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}, name
        assert named(schedule["Target"]["Arn"]) == "RemindFunctionAliaslive", name
        assert json.loads(schedule["Target"]["Input"]) == {"run": run, "time": "<aws.scheduler.scheduled-time>"}, name


def schedules_may_call_remind_and_nothing_else(stack: Stack) -> None:
    assert set(role_grants(stack, "ScheduleRole")) == {Grant("lambda:InvokeFunction", "RemindFunctionAliaslive")}
    (statement,) = listed(stack.properties("ScheduleRole")["AssumeRolePolicyDocument"]["Statement"])
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    for schedule in stack.of_type("AWS::Scheduler::Schedule").values():
        assert named(schedule["Target"]["RoleArn"]) == "ScheduleRole.Arn"


def a_run_that_fails_raises_an_alarm(stack: Stack) -> None:
    """One that is cut off logs no line of ours."""
    alarm = alarms(stack)["RemindErrorsAlarm"]
    assert list(watched(alarm)) == [of_function("Errors", "RemindFunction", "Sum")]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"


def the_settings_reach_remind(stack: Stack) -> None:
    variables = stack.properties("RemindFunction")["Environment"]["Variables"]
    assert named(variables["BROKERLINK_EXPIRING_MINUTES"]) == "ExpiringMinutes"
    assert stack.body["Parameters"]["ExpiringMinutes"]["Default"] == 60


def an_address_gets_reminders_and_no_other_event(stack: Stack) -> None:
    (subscription,) = stack.of_type("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], named(subscription["Endpoint"])) == ("email", "NotifyEmail")
    assert named(subscription["TopicArn"]) == "TokenIssuedTopic"
    assert subscription["FilterPolicy"] == {"type": ["brokerlink.login.reminder.v1"]}
    assert subscription.get("FilterPolicyScope", "MessageAttributes") == "MessageAttributes"
