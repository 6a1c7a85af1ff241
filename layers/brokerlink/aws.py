"""AWS clients: one botocore session for all of them, bounded tries, and none begun too late."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from botocore.config import Config
from botocore.exceptions import BotoCoreError

from brokerlink.aws_session import new_session
from brokerlink.logs import silence_wire_loggers

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_kms.client import KMSClient
    from types_boto3_secretsmanager.client import SecretsManagerClient
    from types_boto3_sns.client import SNSClient
    from types_boto3_sqs.client import SQSClient

# A call takes 4 seconds at most, and is made 3 times at most.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)


class TooLate(BotoCoreError):
    """The invocation has no time left for another try."""

    fmt = "no time is left for another try"


class AwsClients:
    """Makes clients. `no_try_after` is set for each invocation, on the monotonic clock: no try begins later."""

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
        """Make a client of a service."""
        made = cast("Any", self._session).create_client(service, config=_CONFIG)
        made.meta.events.register("before-send", self._stop_late_tries)
        return made

    def _stop_late_tries(self, **_: object) -> None:
        if self.monotonic() > self.no_try_after:
            raise TooLate
