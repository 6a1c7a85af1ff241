"""What goes wrong in a deployed stack beside the brokers: calls that AWS refuses, and what no function can take."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from local.runtime import FunctionError
from tests.canaries.brokers import ODD, good
from tests.canaries.canaries import Canaries, Kind
from tests.canaries.deployed import PATIENCE, Deployed
from tests.canaries.seen import Seen
from tests.canaries.walk import Walk
from tests.privileges.roles import CONSUMER

_REFUSALS: Final = (
    ("CallbackFunction", "kms:Encrypt"),
    ("CallbackFunction", "dynamodb:UpdateItem"),
    ("CallbackFunction", "dynamodb:GetItem"),
    ("AuthorizeFunction", "dynamodb:PutItem"),
    ("AnnounceFunction", "sns:Publish"),
    (CONSUMER, "kms:Decrypt"),
    (CONSUMER, "dynamodb:GetItem"),
)


def refused_calls(site: Deployed, walk: Callable[[], Walk]) -> None:
    """Walk a login for each call that AWS then refuses once."""
    for caller, action in _REFUSALS:
        walked = walk()
        if caller != "AuthorizeFunction":
            walked.start()
        site.recorder.refuse(caller, action)
        if caller == "AuthorizeFunction":
            assert walked.get(f"/authorize/{walked.broker.id}").status >= 500
        else:
            walked.come_back(*good(walked.canaries, walked.broker))
            walked.outcome()


def broken_row(site: Deployed, walk: Walk) -> None:
    """Let an attempt's row become one that nobody can read: whoever meets it breaks."""
    walk.start()
    site.stack.clients.dynamodb.update_item(
        TableName=site.stack.deployment.outputs["LoginAttemptsTableName"],
        Key={"attempt_id": {"S": walk.attempt}},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": walk.canaries.new(Kind.STRANGERS_WORDS)}},
    )
    assert walk.come_back(*good(walk.canaries, walk.broker)).status == 500
    assert walk.get(f"/result?attempt={walk.attempt}").status == 500


def poison(site: Deployed, canaries: Canaries) -> None:
    """Let rows and messages come along that announce and the consumer cannot take."""
    clients, outputs = site.stack.clients, site.stack.deployment.outputs
    words = canaries.new(Kind.STRANGERS_WORDS)
    row = {"user_id": {"S": "nobody"}, "connection": {"S": "nothing"}, "scope": {"S": words}}
    clients.dynamodb.put_item(TableName=outputs["TokensTableName"], Item={**row, "attempt_id": {"S": "malformed"}})
    site.recorder.wait_for("AnnounceFunction", "sqs:SendMessage", outputs["AnnounceDeadLettersUrl"])
    owner = {"user_id": "nobody", "broker": "pocketful", "account": "AC-9"}
    for message in (words, json.dumps({"id": words}), json.dumps({"id": words, "data": {**owner, "issued_at": 1}})):
        clients.sns.publish(
            TopicArn=outputs["TokenIssuedTopicArn"],
            Message=message,
            MessageAttributes={"type": {"DataType": "String", "StringValue": "brokerlink.token.issued.v1"}},
        )


def events_that_are_none(site: Deployed, canaries: Canaries) -> None:
    """Give each function what it never gets."""
    words = canaries.new(Kind.STRANGERS_WORDS, ODD)
    events: tuple[Any, ...] = (
        {},
        {words: words},
        {"body": words, "requestContext": {"requestId": "1"}},
        [words],
        words,
    )
    for pool in site.stack.functions.values():
        for event in events:
            with suppress(FunctionError):
                pool.invoke(event, patience=PATIENCE)


def starts_that_fail(site: Deployed, canaries: Canaries, seen: Seen) -> None:
    """Give both functions a setting without which nothing works, and a password in it."""
    for name in ("AuthorizeFunction", "CallbackFunction"):
        url = f"https://user:{canaries.new(Kind.SETTING)}@login.example.com"
        seen.note("report of a failed start", site.failure_to_start(name, BROKERLINK_BASE_URL=url), where=name)
    assert "SettingError" in seen.text_of("report of a failed start")


def announced_again(site: Deployed, seen: Seen) -> None:
    """Announce all tokens once more, a spoilt one among them; and fail to."""
    seen.note("terminal of reannounce", site.reannounce("--since", "0"))
    site.stack.clients.sns.delete_topic(TopicArn=site.stack.deployment.outputs["TokenIssuedTopicArn"])
    seen.note("terminal of reannounce", site.reannounce("--since", "1"))
    assert {"announced again", "not announced"} <= {
        line.partition(":")[0] for line in seen.text_of("terminal of reannounce").splitlines()
    }


def dead_letters(site: Deployed, seen: Seen) -> None:
    """Keep all that was buried."""
    url = site.stack.deployment.outputs["AnnounceDeadLettersUrl"]
    while found := site.stack.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for letter in found:
            seen.note("dead letter", json.dumps(letter, default=str))
            site.stack.clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
