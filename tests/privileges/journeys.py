"""Every way through the functions on which AWS is asked for something, walked on the local stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import boto3

from brokerlink.reader import TokenReader
from local.aws import REGION
from local.stack import Stack
from local.template import Json
from tests.integration.walker import Walker, attempt_of
from tests.kit.listener import Listener
from tests.privileges.recorder import Recorder
from tests.privileges.roles import CONSUMER, EVERYTHING_TOLD
from tests.template.stack import named, source, translate

ACCOUNTS = {"pocketful": "YA0002", "fivepaisa": "50052770"}
CALLBACK, ANNOUNCE = "CallbackFunction", "AnnounceFunction"


def received(stack: Stack, attempt_id: str) -> Json:
    return stack.received.wait_for(lambda event: event["id"] == attempt_id)


def secret_that_is_out_of_reach(stack: Stack, recorder: Recorder) -> None:
    """First of all, before any process has read it."""
    walker = Walker(stack)
    callback = walker.at_broker(walker.start("pocketful"))
    recorder.refuse(CALLBACK, "secretsmanager:GetSecretValue")
    assert walker.get(callback).status_code >= 500
    assert walker.result(walker.get(callback))["status"] == "connected"


def direct_logins_and_their_pages(stack: Stack, _: Recorder) -> None:
    for broker in ACCOUNTS:
        walker = Walker(stack)
        assert walker.get("/").status_code == 200
        callback = walker.at_broker(walker.start(broker))
        reply = walker.get(callback)
        for target in (reply.headers["location"], f"/result?attempt={attempt_of(reply)}&wait=1"):
            assert walker.get(target).status_code in {200, 303}
        assert walker.get(callback).headers["location"] == reply.headers["location"]
        received(stack, attempt_of(reply))


def callbacks_that_end_in_nothing(stack: Stack, _: Recorder) -> None:
    walker = Walker(stack)
    callback = walker.at_broker(walker.start("pocketful"))
    assert "wrong_browser" in Walker(stack).get(callback).headers["location"]
    stranger = Walker(stack)
    stranger.start("pocketful")
    assert "wrong_browser" in stranger.get(callback).headers["location"]
    assert stranger.get("/callback/pocketful?code=x&state=" + "x" * 43).status_code == 400
    walker.fault("pocketful", "token", "status:500")
    assert walker.result(walker.get(callback))["error"] == "broker_unavailable"


def declined_and_tried_again(stack: Stack, _: Recorder) -> None:
    walker = Walker(stack)
    declined = walker.result(walker.get(walker.at_broker(walker.start("pocketful"), button=1)))
    assert declined["error"] == "denied"
    again = walker.get(declined["retry_url"]).headers["location"]
    assert walker.result(walker.get(walker.at_broker(again)))["status"] == "connected"


def session_that_names_the_account(stack: Stack, _: Recorder) -> None:
    walker = Walker(stack)
    for broker, account in ACCOUNTS.items():
        start_url = walker.session(broker=broker, user_id="ravi", account=account)
        reply = walker.get(walker.at_broker(walker.open(start_url)))
        assert walker.backend("GET", f"/attempts/{attempt_of(reply)}").json()["status"] == "connected"
        assert walker.get(start_url).status_code == 410


def session_that_is_confirmed(stack: Stack, _: Recorder) -> None:
    for present, status in (("asha", 200), ("mallory", 404)):
        walker = Walker(stack)
        session = walker.session(broker="pocketful", user_id="asha", return_to=f"{stack.base_url}/example/return")
        attempt = attempt_of(walker.get(walker.at_broker(walker.open(session))))
        told = {"attempt": attempt, "user_id": present}
        assert walker.backend("POST", "/confirm", told).status_code == status
        assert walker.backend("POST", "/confirm", told).status_code == status


def token_that_comes_too_late_to_be_kept(stack: Stack, _: Recorder) -> None:
    walker, table = Walker(stack), stack.deployment.outputs["TokensTableName"]
    key = {"user_id": {"S": "meera"}, "connection": {"S": "pocketful#YA0002"}}
    for kept in (True, False):
        session = walker.session(broker="pocketful", user_id="meera", account="YA0002")
        reply = walker.get(walker.at_broker(walker.open(session)))
        assert walker.result(reply)["status"] == "connected"
        row = walker.token_row("meera", "pocketful#YA0002")
        assert row is not None
        assert (row["attempt_id"]["S"] == attempt_of(reply)) is kept
        # As if another host with a faster clock had issued it.
        stack.clients.dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="ADD issued_at_ms :ahead",
            ExpressionAttributeValues={":ahead": {"N": "600000"}},
        )


def record_that_can_never_be_published(stack: Stack, recorder: Recorder) -> None:
    row = {"user_id": {"S": "nobody"}, "connection": {"S": "nothing"}, "attempt_id": {"S": "malformed"}}
    stack.clients.dynamodb.put_item(TableName=stack.deployment.outputs["TokensTableName"], Item=row)
    recorder.wait_for(ANNOUNCE, "sqs:SendMessage", stack.deployment.outputs["AnnounceDeadLettersUrl"])


def topic_that_is_out_of_reach(stack: Stack, recorder: Recorder) -> None:
    recorder.refuse(ANNOUNCE, "sns:Publish")
    reply = Walker(stack).log_in("pocketful")
    received(stack, attempt_of(reply))


def event_that_comes_twice(stack: Stack, recorder: Recorder) -> None:
    reply = Walker(stack).log_in("pocketful")
    event = received(stack, attempt_of(reply))
    table = stack.consumer.physical_ids["ProcessedEvents"]
    before = recorder.count(CONSUMER, "dynamodb:PutItem", table)
    stack.clients.sns.publish(
        TopicArn=stack.deployment.outputs["TokenIssuedTopicArn"],
        Message=json.dumps(event),
        MessageAttributes={"type": {"DataType": "String", "StringValue": event["type"]}},
    )
    recorder.wait_for(CONSUMER, "dynamodb:PutItem", table, times=before + 1)


def consumer_that_fails(stack: Stack, recorder: Recorder) -> None:
    recorder.refuse(CONSUMER, "dynamodb:GetItem")
    Walker(stack).log_in("pocketful")
    recorder.wait_for(CONSUMER, "dynamodb:DeleteItem", stack.consumer.physical_ids["ProcessedEvents"])


def consumer_that_asks_for_many(stack: Stack, recorder: Recorder) -> None:
    """What the reader offers beside the example's own call, in the consumer's name."""
    table = stack.deployment.outputs["TokensTableName"]

    def client(service: Literal["dynamodb", "kms"]) -> Any:
        return boto3.client(
            service,
            endpoint_url=stack.aws_url,
            region_name=REGION,
            aws_access_key_id=CONSUMER,
            aws_secret_access_key="local",
        )

    reader = TokenReader(table, dynamodb=client("dynamodb"), kms=client("kms"))
    everybody = {token.user_id for token in reader.of_broker("pocketful")}
    assert "meera" in everybody
    assert {token.user_id for token in reader.of_user("meera")} == {"meera"}
    assert recorder.count(CONSUMER, "dynamodb:Query", table)
    assert recorder.count(CONSUMER, "dynamodb:Query", f"{table}/index/by_broker")


def connections_that_are_listed_and_ended(stack: Stack, _: Recorder) -> None:
    walker, listener = Walker(stack), Listener(stack)
    session = walker.session(broker="pocketful", user_id="leela", account="YA0002")
    attempt = attempt_of(walker.get(walker.at_broker(walker.open(session))))
    (listed,) = walker.backend("GET", "/connections/leela").json()["connections"]
    assert listed["attempt_id"] == attempt
    assert walker.backend("DELETE", "/connections/leela/pocketful/YA0002").status_code == 200
    listener.wait_for(f"{attempt}.revoked")


def login_that_failed_is_told(stack: Stack, _: Recorder) -> None:
    walker, listener = Walker(stack), Listener(stack)
    declined = walker.result(walker.get(walker.at_broker(walker.start("pocketful"), button=1)))
    listener.wait_for(f"{declined['attempt_id']}.failed")


def token_that_ends_and_is_missed(stack: Stack, _: Recorder) -> None:
    """An hour before its end, and on the morning after, by the times of the runs."""
    walker, listener = Walker(stack), Listener(stack)
    session = walker.session(broker="pocketful", user_id="kabir", account="YA0002")
    attempt = attempt_of(walker.get(walker.at_broker(walker.open(session))))
    row = walker.token_row("kabir", "pocketful#YA0002")
    assert row is not None
    ends = int(row["expires_at"]["N"])
    run(stack, "EndingSchedule", ends - 3600)
    assert listener.wait_for(f"{attempt}.expiring")["data"]["expires_at"] == ends
    key = {"user_id": {"S": "kabir"}, "connection": {"S": "pocketful#YA0002"}}
    stack.clients.dynamodb.delete_item(TableName=stack.outputs["TokensTableName"], Key=key)
    run(stack, "ReminderTimes", ends + 60)
    assert listener.wait_for(f"{attempt}.reminder")["data"]["connected_until"] == ends


def run(stack: Stack, schedule: str, scheduled: int) -> None:
    """Call a schedule's target as EventBridge Scheduler does."""
    target = translate(source(), **EVERYTHING_TOLD).properties(schedule)["Target"]
    time = datetime.fromtimestamp(scheduled, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    function = named(target["Arn"]).removesuffix("Aliaslive")
    stack.functions[function].invoke(json.loads(target["Input"].replace("<aws.scheduler.scheduled-time>", time)))


JOURNEYS: tuple[Callable[[Stack, Recorder], None], ...] = (
    secret_that_is_out_of_reach,
    direct_logins_and_their_pages,
    callbacks_that_end_in_nothing,
    declined_and_tried_again,
    session_that_names_the_account,
    session_that_is_confirmed,
    token_that_comes_too_late_to_be_kept,
    record_that_can_never_be_published,
    topic_that_is_out_of_reach,
    event_that_comes_twice,
    consumer_that_fails,
    consumer_that_asks_for_many,
    connections_that_are_listed_and_ended,
    login_that_failed_is_told,
    token_that_ends_and_is_missed,
)
