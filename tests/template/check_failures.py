"""Logins that failed are told where that is asked for, from a stream that shows no more than what became of them."""

from __future__ import annotations

import json

from tests.template.check_permissions import ALLOWED
from tests.template.iam import role_grants, stream_of
from tests.template.options import FAILED_EVENTS
from tests.template.stack import Stack, named

PARAMETERS = FAILED_EVENTS
MAPPING = "AnnounceFunctionLoginFailed"


def failures_are_announced_as_tokens_are(stack: Stack) -> None:
    mapping, tokens = stack.properties(MAPPING), stack.properties("AnnounceFunctionTokenStored")
    assert named(mapping["EventSourceArn"]) == "LoginAttemptsTable.StreamArn"
    for name in (
        "FunctionName",
        "StartingPosition",
        "BatchSize",
        "FunctionResponseTypes",
        "BisectBatchOnFunctionError",
        "MaximumRetryAttempts",
        "MaximumRecordAgeInSeconds",
        "DestinationConfig",
    ):
        assert mapping[name] == tokens[name], name


def announce_sees_of_attempts_what_has_failed_and_no_more(stack: Stack) -> None:
    (filtered,) = stack.properties(MAPPING)["FilterCriteria"]["Filters"]
    assert json.loads(filtered["Pattern"]) == {
        "eventName": ["MODIFY"],
        "dynamodb": {"NewImage": {"status": {"S": ["FAILED"]}}},
    }
    assert stack.properties("LoginAttemptsTable")["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert set(role_grants(stack, "AnnounceRole")) == ALLOWED["AnnounceRole"] | stream_of("LoginAttemptsTable")
