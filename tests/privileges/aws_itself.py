"""What AWS does in a role's name: no code of ours makes these calls, so no recording shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from local.aws import REGION
from tests.privileges.calls import Call
from tests.privileges.roles import CONSUMER
from tests.template.stack import Stack, named

_LOG = "Lambda writes the function's log (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html)"
_STREAM = "the event source mapping reads the stream (https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html)"
_QUEUE = "the event source mapping reads the queue (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html)"
_SENDS = (
    "{} encrypts for whoever sends"
    " (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html,"
    " https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html)"
)
_RECEIVES = "SQS decrypts for whoever receives (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html)"
_MESSAGING_KEY_OF_CONSUMER = '{"Fn::ImportValue": {"Fn::Sub": "${BrokerlinkStack}-MessagingKeyArn"}}'


@dataclass(frozen=True)
class OwnCall:
    """A call that AWS makes, its resource named as in the templates, and why it does."""

    call: Call
    reason: str


def own_calls(main: Stack) -> Iterator[OwnCall]:
    """Give them one by one, for a stack with or without its options."""
    for function in ("Authorize", "Callback", "Announce", "Connections", "Remind", "Consumer"):
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            yield OwnCall(Call(f"{function}Function", action, f"{function}LogGroup.Arn"), _LOG)
    for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"):
        for mapping in main.of_type("AWS::Lambda::EventSourceMapping").values():
            yield OwnCall(Call("AnnounceFunction", f"dynamodb:{action}", named(mapping["EventSourceArn"])), _STREAM)
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        for service in ("sns", "sqs"):
            yield OwnCall(
                _through(service, "AnnounceFunction", action, "MessagingKey.Arn"), _SENDS.format(service.upper())
            )
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        yield OwnCall(Call(CONSUMER, f"sqs:{action}", "Inbox.Arn"), _QUEUE)
    yield OwnCall(_through("sqs", CONSUMER, "kms:Decrypt", _MESSAGING_KEY_OF_CONSUMER), _RECEIVES)


def _through(service: str, caller: str, action: str, resource: str) -> Call:
    return Call(caller, action, resource, (("kms:ViaService", (f"{service}.{REGION}.amazonaws.com",)),))
