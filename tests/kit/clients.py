"""AWS clients on moto, from one session: making a session takes far longer than what most tests do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast, overload

import boto3
import moto  # noqa: F401  # sessions that are made before moto's import stay outside of it
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_kms.client import KMSClient
    from types_boto3_secretsmanager.client import SecretsManagerClient
    from types_boto3_sns.client import SNSClient
    from types_boto3_sqs.client import SQSClient

_SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="ap-south-1")
# A fault of the wire reaches the code when the SDK's own tries are over.
_ONE_TRY = Config(retries={"total_max_attempts": 1})


@overload
def client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def client(service: Literal["kms"]) -> KMSClient: ...
@overload
def client(service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
@overload
def client(service: Literal["sns"]) -> SNSClient: ...
@overload
def client(service: Literal["sqs"]) -> SQSClient: ...
def client(service: str) -> object:
    """Make a client that tries once."""
    return cast("Any", _SESSION).client(service, config=_ONE_TRY)
