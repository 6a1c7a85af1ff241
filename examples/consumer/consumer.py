"""A downstream function: learns from a queue that a customer logged in, and reads the access token.

A trading system would now begin its customer's day. This example prints one line, and never the token.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from brokerlink.expiry import IST
from brokerlink.reader import TokenExpired, TokenNotFound, TokenReader

# An event is announced at least once; within a day, after which its token is dead, it is acted on once.
_REMEMBERED_SECONDS = 24 * 60 * 60

logger = Logger()
tokens = TokenReader()
once = IdempotencyConfig(
    event_key_jmespath="id", raise_on_no_idempotency_key=True, expires_after_seconds=_REMEMBERED_SECONDS
)
processed = DynamoDBPersistenceLayer(table_name=os.environ["PROCESSED_EVENTS_TABLE"])
# Where all records failed it still answers record by record: each failure is logged where it happens.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Take a batch of SQS messages; return which of them failed, to come again after a while."""
    once.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=receive, processor=processor, context=context)


def receive(record: SQSRecord) -> None:
    """Take one message. An error makes it come again, and in the end go to the dead letters."""
    try:
        act(event=json.loads(record.body))
    except Exception:
        logger.exception("an event could not be handled and will come again")
        raise


# The function's result would be stored beside the event's id: it must never be a token.
@idempotent_function(  # type: ignore[untyped-decorator]  # Powertools leaves this one untyped
    data_keyword_argument="event", persistence_store=processed, config=once
)
def act(*, event: Mapping[str, Any]) -> None:
    """Do this system's part for a customer who just logged in, once per event."""
    try:
        token = tokens.get(event)
    except (TokenExpired, TokenNotFound) as gone:
        # Trying again would not bring it back: the customer logs in again, and that is another event.
        logger.warning("there is no token to act on: %s", gone)
        return
    until = datetime.fromtimestamp(token.expires_at, IST)
    print(f"{token.broker} {token.account}: logged in until {until:%d %b %Y, %H:%M} IST")
