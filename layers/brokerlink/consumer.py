"""Acts on each login once: what a Lambda function needs that hears of logins by SNS and SQS.

from brokerlink.consumer import on_login

@on_login
def handler(token):
    trade(token)

It takes Powertools for AWS Lambda beside boto3: `pip install "brokerlink[consumer]"`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Final, overload

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

from brokerlink.events import TOKEN_ISSUED
from brokerlink.reader import BrokerToken, TokenError, TokenExpired, TokenNotFound, TokenReader

PROCESSED_VARIABLE: Final = "PROCESSED_EVENTS_TABLE"
# An event is announced at least once; within a day, after which its token is dead, it is acted on once.
REMEMBERED_SECONDS: Final = 24 * 60 * 60

type Act = Callable[[BrokerToken], object]
type Handler = Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]

_LOGGER: Final = Logger()


@overload
def on_login(act: Act) -> Handler: ...
@overload
def on_login(
    *,
    reader: TokenReader | None = None,
    processed: str | None = None,
    no_token: Callable[[TokenError], object] | None = None,
) -> Callable[[Act], Handler]: ...
def on_login(
    act: Act | None = None,
    *,
    reader: TokenReader | None = None,
    processed: str | None = None,
    no_token: Callable[[TokenError], object] | None = None,
) -> Handler | Callable[[Act], Handler]:
    """Make a Lambda handler of a function that is given the token of each login, once.

    The queue has to be subscribed to the topic, raw or not, and its event source mapping to report batch item
    failures. `processed` is the table that remembers events, keyed by `id` and aged by `expiration`; else the
    environment's `PROCESSED_EVENTS_TABLE`. `reader` is made from the environment if none is given.

    - An event that comes again is not acted on again, whatever its batch.
    - An event whose token a later login has replaced is left out: the later one has an event of its own.
    - No token any more (`TokenExpired`, `TokenNotFound`): `no_token` is told, whose error carries the link to log in
      again, and the event is done with.
    - Any other error, the function's own among them, lets that message alone come again, and in the end go to the
      queue's dead letters. So does a message that is no event.
    - An event of another type is left out.

    What the function returns is dropped, since results are stored: it might be a token.
    Raises `ValueError` where no table is named.
    """

    def decorate(act: Act) -> Handler:
        table = processed or os.environ.get(PROCESSED_VARIABLE)
        if not table:
            raise ValueError(
                f"name the table that remembers events: processed= or the environment's {PROCESSED_VARIABLE}"
            )
        return _Consumer(act, reader or TokenReader(), table, no_token)

    return decorate if act is None else decorate(act)


class _Consumer:
    """A handler of SQS batches."""

    def __init__(
        self, act: Act, reader: TokenReader, processed: str, no_token: Callable[[TokenError], object] | None
    ) -> None:
        self._act = act
        self._reader = reader
        self._no_token = no_token
        self._config = IdempotencyConfig(
            event_key_jmespath="id", raise_on_no_idempotency_key=True, expires_after_seconds=REMEMBERED_SECONDS
        )
        self._once = idempotent_function(
            self._take,
            data_keyword_argument="event",
            persistence_store=DynamoDBPersistenceLayer(table_name=processed),
            config=self._config,
            # Two functions may share a table, and each has to hear of every login.
            key_prefix=f"{os.environ.get('AWS_LAMBDA_FUNCTION_NAME', '')}.{act.__module__}.{act.__qualname__}",
        )
        # Where all records failed it still answers record by record: each failure is logged where it happens.
        self._processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        self._config.register_lambda_context(context)
        _LOGGER.append_keys(function_request_id=context.aws_request_id)
        return process_partial_response(
            event=event, record_handler=self._receive, processor=self._processor, context=context
        )

    def _receive(self, record: SQSRecord) -> None:
        try:
            event = cloud_event(record.body)
            if event["type"] == TOKEN_ISSUED:
                self._once(event=event)
        except Exception:
            _LOGGER.exception("an event could not be handled and will come again")
            raise

    def _take(self, *, event: Mapping[str, Any]) -> None:
        try:
            token = self._reader.get(event)
        except (TokenExpired, TokenNotFound) as error:
            # Trying again would not bring it back: the customer logs in again, and that is another event.
            _LOGGER.warning("there is no token to act on: %s", error)
            if self._no_token is not None:
                self._no_token(error)
            return
        if token.attempt_id == event["id"]:
            self._act(token)
        else:
            _LOGGER.info("%s/%s has logged in again: the later event is acted on", token.broker, token.account)


def cloud_event(body: str) -> Mapping[str, Any]:
    """Read a message of the queue: an event, or SNS's envelope with an event in it, where delivery is not raw.

    Raises `ValueError`, which quotes nothing of it.
    """
    found = _parsed(body)
    match found:
        case {"Type": "Notification", "Message": message}:
            found = _parsed(message)
    match found:
        case {"id": str(), "type": str()}:
            return found
    raise ValueError("this is not a brokerlink event")


def _parsed(text: object) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}
