"""The topic, the queue and the streams between the tables and them."""

from __future__ import annotations

import json

from tests.template.check_keys import ACCOUNT
from tests.template.iam import Grant, condition, grants
from tests.template.stack import Stack, named

MAPPINGS = {"AnnounceFunctionTokenStored": "TokensTable", "AnnounceFunctionLinkTold": "LinksTable"}
PLAIN = condition({"Bool": {"aws:SecureTransport": "false"}})
_ANNOUNCE = condition({"ArnEquals": {"aws:PrincipalArn": "AnnounceRole.Arn"}})
_NOT_ANNOUNCE = condition({"ArnNotEquals": {"aws:PrincipalArn": "AnnounceRole.Arn"}})
_ELSEWHERE = condition({"StringNotEquals": {"aws:PrincipalAccount": "AWS::AccountId"}})


def only_announce_publishes_and_only_this_account_subscribes(stack: Stack) -> None:
    policy = stack.properties("TokenIssuedTopicPolicy")
    assert [named(topic) for topic in policy["Topics"]] == ["TokenIssuedTopic"]
    assert set(grants(policy["PolicyDocument"])) == {
        Grant("sns:Publish", "TokenIssuedTopic", _ANNOUNCE, ACCOUNT),
        Grant("sns:Publish", "TokenIssuedTopic", _NOT_ANNOUNCE, "*", "Deny"),
        Grant("sns:Subscribe", "TokenIssuedTopic", "", ACCOUNT),
        Grant("sns:Subscribe", "TokenIssuedTopic", _ELSEWHERE, "*", "Deny"),
        Grant("sns:Subscribe", "TokenIssuedTopic", condition({"StringEquals": {"sns:Protocol": "http"}}), "*", "Deny"),
        Grant("sns:Publish", "TokenIssuedTopic", PLAIN, "*", "Deny"),
        Grant("sns:Subscribe", "TokenIssuedTopic", PLAIN, "*", "Deny"),
    }


def only_announce_sends_to_the_dead_letters(stack: Stack) -> None:
    policy = stack.properties("AnnounceDeadLettersPolicy")
    assert [named(queue) for queue in policy["Queues"]] == ["AnnounceDeadLetters"]
    assert set(grants(policy["PolicyDocument"])) == {
        Grant("sqs:SendMessage", "AnnounceDeadLetters.Arn", _NOT_ANNOUNCE, "*", "Deny"),
        Grant("sqs:SendMessage", "AnnounceDeadLetters.Arn", PLAIN, "*", "Deny"),
        Grant("sqs:ReceiveMessage", "AnnounceDeadLetters.Arn", PLAIN, "*", "Deny"),
    }


def topic_and_queue_are_encrypted_with_the_messaging_key(stack: Stack) -> None:
    for kind, name in (("AWS::SNS::Topic", "TokenIssuedTopic"), ("AWS::SQS::Queue", "AnnounceDeadLetters")):
        assert stack.of_type(kind).keys() == {name}
        assert named(stack.properties(name)["KmsMasterKeyId"]) == "MessagingKey.Arn"
    assert stack.properties("AnnounceDeadLetters")["MessageRetentionPeriod"] == 14 * 86_400


def the_streams_are_announced_as_long_as_they_live(stack: Stack) -> None:
    assert stack.of_type("AWS::Lambda::EventSourceMapping").keys() == MAPPINGS.keys()
    for name, table in MAPPINGS.items():
        mapping = stack.properties(name)
        assert named(mapping["EventSourceArn"]) == f"{table}.StreamArn"
        assert named(mapping["FunctionName"]) == "AnnounceFunctionAliaslive"
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert mapping["MaximumRetryAttempts"] == -1
        assert mapping["MaximumRecordAgeInSeconds"] == 86_400


def one_bad_record_holds_up_no_other(stack: Stack) -> None:
    for name in MAPPINGS:
        mapping = stack.properties(name)
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert named(mapping["DestinationConfig"]["OnFailure"]["Destination"]) == "AnnounceDeadLetters.Arn"


def removals_do_not_reach_announce(stack: Stack) -> None:
    (filtered,) = stack.properties("AnnounceFunctionTokenStored")["FilterCriteria"]["Filters"]
    assert json.loads(filtered["Pattern"]) == {"eventName": ["INSERT", "MODIFY"]}


def of_links_only_what_tells_something_reaches_announce(stack: Stack) -> None:
    (filtered,) = stack.properties("AnnounceFunctionLinkTold")["FilterCriteria"]["Filters"]
    assert json.loads(filtered["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"notice_id": {"S": [{"exists": True}]}}},
    }
