"""A queue as Lambda delivers it: what succeeded is deleted, the rest comes back after the visibility timeout.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from local.aws import REGION, Clients
from local.delivery import Invoke, failures
from local.errors import TemplateError
from local.functions import EventSource
from local.template import Json

if TYPE_CHECKING:
    # Stubs exist while developing only; the stack runs without them.
    from types_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

_MOST_AT_ONCE = 10  # SQS gives no more in one ReceiveMessage


class QueueDelivery:
    """Delivers the messages of one queue to one function; `delivered` is told each body that succeeded."""

    def __init__(self, source: EventSource, clients: Clients, invoke: Invoke, delivered: Callable[[str], None]) -> None:
        if source.filters:
            raise TemplateError(f"{source.name} filters a queue's messages, which the local stack does not do.")
        self._source = source
        self._sqs = clients.sqs
        self._invoke = invoke
        self._delivered = delivered
        self._url = self._sqs.get_queue_url(QueueName=source.resource)["QueueUrl"]

    def deliver(self) -> bool:
        """Deliver all messages that are visible. Always True: what failed waits in the queue by itself."""
        while messages := self._receive():
            records = [_as_lambda_sees_it(message, self._source.arn) for message in messages]
            ids = [record["messageId"] for record in records]
            failed = failures(self._invoke, records, ids, reported=self._source.reports_failures)
            for record in records:
                if record["messageId"] not in failed:
                    self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=record["receiptHandle"])
                    self._delivered(record["body"])
        return True

    def _receive(self) -> "list[MessageTypeDef]":
        return self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(self._source.batch_size, _MOST_AT_ONCE),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        ).get("Messages", [])


def _as_lambda_sees_it(message: "MessageTypeDef", queue: str) -> Json:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": _attributes(message.get("MessageAttributes", {})),
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": REGION,
    }


def _attributes(attributes: "Mapping[str, MessageAttributeValueOutputTypeDef]") -> Json:
    return {
        name: {
            "stringValue": value.get("StringValue"),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value["DataType"],
        }
        for name, value in attributes.items()
    }
