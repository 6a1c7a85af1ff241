"""AWS clients: one botocore session for all of them, bounded tries, and answers that are whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, cast, overload

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

from brokerlink.aws_connections import CONNECT_SECONDS, READ_SECONDS, current_try, keep_time
from brokerlink.aws_session import new_session
from brokerlink.logs import silence_wire_loggers
from brokerlink.outbound.countdown import Countdown
from brokerlink.whole import check_whole

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_kms.client import KMSClient
    from types_boto3_secretsmanager.client import SecretsManagerClient
    from types_boto3_sns.client import SNSClient
    from types_boto3_sqs.client import SQSClient

# A try takes 4 seconds at most, however the answer drips, and there are 3 at most.
_CONFIG: Final = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)
# The SDK takes an answer for what its model says, and trips over one that is not.
UNREADABLE: Final = (ResponseParserError, AttributeError, KeyError, TypeError, ValueError)


class TooLate(BotoCoreError):
    """The invocation has no time left for another try."""

    fmt = "no time is left for another try"


class AwsClients:
    """Makes clients. `no_try_after` is set for each invocation, on the monotonic clock: no try begins later, and one
    that begins then has three seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        silence_wire_loggers()
        self.monotonic = monotonic
        self.no_try_after = float("inf")
        self._session = new_session()

    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["kms"]) -> KMSClient: ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
    @overload
    def client(self, service: Literal["sns"]) -> SNSClient: ...
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    def client(self, service: str) -> object:
        """Make a client of a service. Its calls raise botocore's errors, `TooLate`, `NotWhole` or `UNREADABLE`."""
        made = cast("Any", self._session).create_client(service, config=_CONFIG)
        keep_time(made)
        made.meta.events.register("before-send", self._begin_try)
        made.meta.events.register("after-call", check_whole)
        return made

    def _begin_try(self, **_: object) -> None:
        now = self.monotonic()
        if now > self.no_try_after:
            raise TooLate
        ends = min(now + CONNECT_SECONDS + READ_SECONDS, self.no_try_after + READ_SECONDS)
        current_try.set(Countdown(self.monotonic, ends))
