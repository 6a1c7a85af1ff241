"""Clients of the emulator, and only of the emulator.

Nothing of the developer's own AWS set-up may take part: a profile, a credentials file or a proxy from the
environment could send a local login's secrets to a real account.
"""

import os
from collections.abc import MutableMapping
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
import botocore.config
import botocore.loaders
import botocore.session

if TYPE_CHECKING:
    # Stubs exist while developing only; the stack runs without them.
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

REGION = "ap-south-1"
ACCESS_KEY = SECRET_KEY = "local"  # noqa: S105 - the emulator accepts any; the front verifies exactly these


def forget_own_aws(environment: MutableMapping[str, str]) -> None:
    """Take the person's own AWS settings out of this process, where the emulator makes sessions of its own too."""
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    environment.update(
        {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )


def isolated_session() -> boto3.Session:
    """Make a session that reads no profile and no AWS file of the person who runs the stack."""
    nowhere = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    session = botocore.session.Session(session_vars=nowhere)
    session.register_component("data_loader", _loader())
    return boto3.Session(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
        botocore_session=session,
    )


@cache
def _loader() -> botocore.loaders.Loader:
    # Each session would read the services' descriptions for itself, megabytes of JSON.
    return botocore.loaders.create_loader()


def worker_environment(endpoint_url: str, access_key: str = ACCESS_KEY) -> dict[str, str]:
    """Environment variables that tie an AWS SDK in a function's process to the emulator, which accepts any key."""
    return {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # The emulator does not know the account-based host names of DynamoDB.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


class Clients:
    """One client per service, made when first asked for, each bound to the emulator."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._session = isolated_session()
        self._config = botocore.config.Config(
            account_id_endpoint_mode="disabled",
            connect_timeout=2,
            # A busy machine takes long to create a stack, which cannot be asked for twice.
            read_timeout=120,
            retries={"total_max_attempts": 2, "mode": "standard"},
            proxies={},
        )

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return self._session.client("cloudformation", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self._session.client("dynamodb", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def lambda_(self) -> "LambdaClient":
        return self._session.client("lambda", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def streams(self) -> "DynamoDBStreamsClient":
        return self._session.client("dynamodbstreams", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def kms(self) -> "KMSClient":
        return self._session.client("kms", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        return self._session.client("secretsmanager", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def sns(self) -> "SNSClient":
        return self._session.client("sns", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def sqs(self) -> "SQSClient":
        return self._session.client("sqs", endpoint_url=self._endpoint_url, config=self._config)
