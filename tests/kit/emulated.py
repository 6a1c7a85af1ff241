"""What the emulated AWS holds, where moto keeps it: going through its API would take most of a test's time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from brokerlink.storage import from_wire
from tests.kit.clients import REGION
from tests.kit.tables import TABLES

_TOPIC = "TokenIssued"
_QUEUE = "AnnounceDeadLetters"


@contextmanager
def emulated_aws() -> Iterator[None]:
    """Run moto. Starting it takes as long as a good part of a login, so it is done once for many."""
    with mock_aws():
        yield


def renew() -> None:
    """Forget all that moto holds."""
    BackendDict.reset()


def create_tables() -> None:
    """Create the tables."""
    for table in TABLES:
        dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].create_table(
            table["TableName"],
            schema=table["KeySchema"],
            attr=table["AttributeDefinitions"],
            global_indexes=table.get("GlobalSecondaryIndexes", []),
            billing_mode=table["BillingMode"],
            indexes=[],
            tags=[],
            throughput=None,
            streams=None,
            sse_specification=None,
            deletion_protection_enabled=False,
            warm_throughput=None,
        )


def create_secret(value: str) -> str:
    """Create the brokers' secret and give its ARN."""
    made = secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION].create_secret(
        "brokers",
        secret_string=value,
        replica_regions=[],
        secret_binary=None,
        description=None,
        tags=None,
        kms_key_id=None,
        client_request_token=None,
        force_overwrite=False,
    )
    return str(json.loads(made)["ARN"])


def create_topic() -> str:
    """Create the topic and give its ARN."""
    return str(sns_backends[DEFAULT_ACCOUNT_ID][REGION].create_topic(_TOPIC).arn)


def create_queue() -> str:
    """Create the dead letters' queue and give its URL."""
    sqs_backends[DEFAULT_ACCOUNT_ID][REGION].create_queue(_QUEUE)
    return f"https://sqs.{REGION}.amazonaws.com/{DEFAULT_ACCOUNT_ID}/{_QUEUE}"


def rows(table: str) -> list[dict[str, Any]]:
    """Give the rows of a table, as the functions read them."""
    found = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[table].all_items()
    return [dict(from_wire(item.to_json()["Attributes"])) for item in found]


def records(table: str) -> list[dict[str, Any]]:
    """Give a table's stream from its beginning."""
    shard = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[table].stream_shard
    assert shard is not None, "the table has no stream"
    return [item.record for item in shard.items]


def events() -> list[dict[str, Any]]:
    """Give the messages that were published."""
    (topic,) = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics.values()
    return [json.loads(sent[1]) for sent in topic.sent_notifications]


def letters() -> list[dict[str, Any]]:
    """Give the dead letters."""
    queue = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[_QUEUE]
    return [json.loads(message.body) for message in queue._messages]
