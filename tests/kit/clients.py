"""AWS clients and a key on moto, made once: making them takes far longer than what most tests do with them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import boto3
from botocore.config import Config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.kms.models import Key, kms_backends

from tests.kit.wire import Wire

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_kms.client import KMSClient
    from types_boto3_secretsmanager.client import SecretsManagerClient
    from types_boto3_sns.client import SNSClient
    from types_boto3_sqs.client import SQSClient

REGION = "ap-south-1"
_SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
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
    """Give a client for the test's own looking and doing: no fault ever meets it."""
    return _client(service)


@overload
def wired(service: Literal["dynamodb"]) -> tuple[DynamoDBClient, Wire]: ...
@overload
def wired(service: Literal["kms"]) -> tuple[KMSClient, Wire]: ...
@overload
def wired(service: Literal["secretsmanager"]) -> tuple[SecretsManagerClient, Wire]: ...
@overload
def wired(service: Literal["sns"]) -> tuple[SNSClient, Wire]: ...
@overload
def wired(service: Literal["sqs"]) -> tuple[SQSClient, Wire]: ...
def wired(service: str) -> tuple[object, Wire]:
    """Give the client for the code under test, and the wire below it, both as new."""
    made, wire = _wired(service)
    wire.renew()
    return made, wire


def token_key() -> str:
    """Give the ARN of a symmetric key. moto makes an RSA key pair with each, which takes its time."""
    key = _key()
    kms_backends[DEFAULT_ACCOUNT_ID][REGION].keys[key.id] = key
    return str(key.arn)


@cache
def _client(service: str) -> object:
    return cast("Any", _SESSION).client(service, config=_ONE_TRY)


@cache
def _wired(service: str) -> tuple[object, Wire]:
    made = cast("Any", _SESSION).client(service, config=_ONE_TRY)
    return made, Wire(made)


@cache
def _key() -> Key:
    arn = client("kms").create_key()["KeyMetadata"]["Arn"]
    return kms_backends[DEFAULT_ACCOUNT_ID][REGION].keys[arn.rpartition("/")[2]]
