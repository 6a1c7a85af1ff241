"""Publishes what the tables' rows tell: stream records in, SNS messages out.

record ── tells nothing (a removal, another change) ──▶ nothing
       ── can never be published ──▶ dead letters, as keys and attempt_id, and skipped
       ── SNS refuses or does not answer ──▶ this record and all after it come again
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from brokerlink.aws import UNREADABLE
from brokerlink.events import (
    TOKEN_ISSUED,
    Event,
    UnpublishableRecord,
    is_failure,
    is_issue,
    is_notice,
    login_failed,
    notice,
    part,
    token_issued,
)
from brokerlink.telemetry import Telemetry

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_sns.client import SNSClient
    from types_boto3_sqs.client import SQSClient

# SNS's words for a message that it will never take.
_NEVER: Final = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError"})


class NotNow(Exception):
    """AWS refused or did not answer; the text names the call and the reason."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes to one topic; `source` is the CloudEvents source, `brokerlink/<stack>`.

    `links_table` and `attempts_table` name those tables; a record of any other stream is one of Tokens.
    """

    sns: SNSClient
    sqs: SQSClient
    topic: str
    dead_letters: str
    source: str
    telemetry: Telemetry
    links_table: str = ""
    attempts_table: str = ""

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Publish the records in order; give the sequence numbers of those that have to come again."""
        for done, record in enumerate(records):
            try:
                self._one(record)
            except NotNow as error:
                self.telemetry.logger.warning("publish", reason=str(error))
                self.telemetry.count("announce_retried")
                # Without its number a record cannot be named, and "" has the whole batch come again.
                return [str(part(each, "dynamodb").get("SequenceNumber", "")) for each in records[done:]]
        return []

    def _one(self, record: Mapping[str, Any]) -> None:
        try:
            event = self._event(record)
            if event is None:
                return
            self._publish(event)
        except UnpublishableRecord as error:
            self._bury(record, error)
            return
        if event.attributes["type"] == TOKEN_ISSUED:
            self.telemetry.count("announced", event.attributes["broker"])
        else:
            self.telemetry.count("noticed", event.attributes["broker"])

    def _event(self, record: Mapping[str, Any]) -> Event | None:
        """Make the event of a record, if it is one. Raises `UnpublishableRecord`."""
        table = _table(record)
        if table and table == self.links_table:
            return notice(record, source=self.source) if is_notice(record) else None
        if table and table == self.attempts_table:
            return login_failed(record, source=self.source) if is_failure(record) else None
        return token_issued(record, source=self.source) if is_issue(record) else None

    def _publish(self, event: Event) -> None:
        try:
            answer = self.sns.publish(
                TopicArn=self.topic,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in event.attributes.items()
                },
                **_message(event),
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            if code in _NEVER:
                raise UnpublishableRecord(f"SNS answered {code}") from None
            raise NotNow(f"SNS Publish: {code}") from None
        except (BotoCoreError, *UNREADABLE) as error:
            raise NotNow(f"SNS Publish: {type(error).__name__}") from None
        _check_taken("SNS Publish", answer)

    def _bury(self, record: Mapping[str, Any], why: UnpublishableRecord) -> None:
        change = part(record, "dynamodb")
        letter = {
            "reason": str(why),
            "keys": part(change, "Keys"),
            "attempt_id": part(part(change, "NewImage"), "attempt_id").get("S"),
        }
        try:
            answer = self.sqs.send_message(QueueUrl=self.dead_letters, MessageBody=json.dumps(letter))
        except ClientError as error:
            raise NotNow(f"SQS SendMessage: {error.response.get('Error', {}).get('Code', 'unknown')}") from None
        except (BotoCoreError, *UNREADABLE) as error:
            raise NotNow(f"SQS SendMessage: {type(error).__name__}") from None
        _check_taken("SQS SendMessage", answer)
        self.telemetry.logger.error("unpublishable", reason=str(why), attempt_id=letter["attempt_id"])
        self.telemetry.count("announce_buried")


def _message(event: Event) -> dict[str, Any]:
    """Give the message; with a letter, as SNS sends each kind of subscriber its own (API reference, Publish)."""
    if event.letter is None:
        return {"Message": event.message}
    each = {"default": event.message, "email": event.letter.text}
    return {"Message": json.dumps(each), "MessageStructure": "json", "Subject": event.letter.subject}


def _table(record: object) -> str:
    """Give the name of the table whose stream a record is of: arn:…:table/<name>/stream/<label>."""
    arn = record.get("eventSourceARN") if isinstance(record, Mapping) else None
    return str(arn).partition(":table/")[2].partition("/")[0]


def _check_taken(call: str, answer: Mapping[str, Any]) -> None:
    # The SDK takes every 200 for success, also the page of something that stands before AWS.
    if "MessageId" not in answer:
        raise NotNow(f"{call}: the answer names no message")
