"""An operator's topic is told of every alarm."""

from __future__ import annotations

from tests.template.metrics import alarms
from tests.template.options import ALARM_TOPIC
from tests.template.stack import Stack, named

PARAMETERS = ALARM_TOPIC


def every_alarm_tells_the_operators_topic(stack: Stack) -> None:
    for name, alarm in alarms(stack).items():
        assert [named(action) for action in alarm["AlarmActions"]] == ["AlarmTopicArn"], name
