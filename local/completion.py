"""Adds to created resources what the emulator's CloudFormation leaves out, and checks that all is there.

A table without its stream or its TTL would let the local stack pass where the deployed one differs, so each
property of a table is either found again in the emulator or known to mean nothing on one machine.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.aws import Clients
from local.errors import TemplateError
from local.template import Json, Template

# Backups, capacity and protection of a table whose rows live as long as the process does.
_NO_LOCAL_MEANING = frozenset(
    {
        "ContributorInsightsSpecification",
        "DeletionProtectionEnabled",
        "OnDemandThroughput",
        "PointInTimeRecoverySpecification",
        "ProvisionedThroughput",
        "ResourcePolicy",
        "TableClass",
        "TableName",
        "Tags",
        "WarmThroughput",
    }
)
_CHECKED_OF_QUEUES = frozenset({"KmsMasterKeyId", "MessageRetentionPeriod", "RedrivePolicy", "VisibilityTimeout"})
_CHECKED_OF_TOPICS = frozenset({"KmsMasterKeyId"})
_CHECKED_OF_KEYS = frozenset({"EnableKeyRotation"})


def complete(
    clients: Clients, template: Template, resolved: Mapping[str, Json], physical_ids: Mapping[str, str]
) -> None:
    """Complete and check the tables, topics, queues and keys, and make the topics' subscriptions.

    `resolved` holds each resource's properties with their references resolved, by logical id. Raises
    TemplateError, naming resource and property, if the emulator does not have what the template says.
    """
    steps: dict[str, Callable[[str, Json, str], None]] = {
        "AWS::DynamoDB::Table": lambda name, wanted, id_: _complete_table(clients, name, wanted, id_),
        "AWS::KMS::Key": lambda name, wanted, id_: _check(name, wanted, _key(clients, id_), _CHECKED_OF_KEYS),
        "AWS::SNS::Topic": lambda name, wanted, id_: _complete_topic(clients, name, wanted, id_),
        "AWS::SQS::Queue": lambda name, wanted, id_: _check(name, wanted, _queue(clients, id_), _CHECKED_OF_QUEUES),
    }
    for name, resource in template.resources.items():
        step = steps.get(resource["Type"])
        if step is None or name not in resolved:
            continue
        if not physical_ids.get(name):
            raise TemplateError(f"{name} ({resource['Type']}) was not created by the emulator.")
        step(name, resolved[name], physical_ids[name])
    for name in template.of_type("AWS::SNS::Subscription"):
        if name in resolved:
            _subscribe(clients, name, resolved[name])


def _complete_table(clients: Clients, name: str, wanted: Json, table: str) -> None:
    lifetime = wanted.get("TimeToLiveSpecification")
    if lifetime is not None:
        clients.dynamodb.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={
                "AttributeName": lifetime["AttributeName"],
                "Enabled": lifetime["Enabled"],
            },
        )
    encryption = wanted.get("SSESpecification", {})
    if encryption.get("SSEEnabled") and not _table(clients, table)["SSESpecification"]["SSEEnabled"]:
        key = {name: encryption[name] for name in ("SSEType", "KMSMasterKeyId") if name in encryption}
        change: Json = {"SSESpecification": {"Enabled": True, **key}}
        clients.dynamodb.update_table(TableName=table, **change)
    _check(name, wanted, _table(clients, table), wanted.keys() - _NO_LOCAL_MEANING)


def _table(clients: Clients, table: str) -> Json:
    """A table as the emulator describes it, under CloudFormation's names."""
    description = clients.dynamodb.describe_table(TableName=table)["Table"]
    found: Json = dict(description)
    found["BillingMode"] = description.get("BillingModeSummary", {}).get("BillingMode")
    lifetime = clients.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    found["TimeToLiveSpecification"] = {
        "AttributeName": lifetime.get("AttributeName"),
        "Enabled": lifetime["TimeToLiveStatus"] == "ENABLED",
    }
    encryption = description.get("SSEDescription", {})
    found["SSESpecification"] = {
        "SSEEnabled": encryption.get("Status") == "ENABLED",
        "SSEType": encryption.get("SSEType"),
        "KMSMasterKeyId": encryption.get("KMSMasterKeyArn"),
    }
    return found


def _key(clients: Clients, key: str) -> Json:
    return {"EnableKeyRotation": clients.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]}


def _complete_topic(clients: Clients, name: str, wanted: Json, topic: str) -> None:
    if "KmsMasterKeyId" in wanted:
        clients.sns.set_topic_attributes(
            TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=wanted["KmsMasterKeyId"]
        )
    _check(name, wanted, _topic(clients, topic), _CHECKED_OF_TOPICS)


def _topic(clients: Clients, topic: str) -> Json:
    return dict(clients.sns.get_topic_attributes(TopicArn=topic)["Attributes"])


def _queue(clients: Clients, queue: str) -> Json:
    attributes = clients.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    found: Json = {str(name): value for name, value in attributes.items()}
    if "RedrivePolicy" in found:
        found["RedrivePolicy"] = json.loads(found["RedrivePolicy"])
    return found


def _subscribe(clients: Clients, name: str, wanted: Json) -> None:
    if wanted["Protocol"] != "sqs":
        raise TemplateError(f"{name} subscribes by {wanted['Protocol']}; the local stack delivers to SQS only.")
    attributes: dict[str, str] = {
        key: json.dumps(wanted[key]) if key in {"FilterPolicy", "RedrivePolicy"} else _text(wanted[key])
        for key in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
        if key in wanted
    }
    subscription = clients.sns.subscribe(
        TopicArn=wanted["TopicArn"], Protocol="sqs", Endpoint=wanted["Endpoint"], Attributes=attributes
    )["SubscriptionArn"]
    found = clients.sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    for key, value in attributes.items():
        if _text(found.get(key, "")) != value:
            raise TemplateError(f"{name}: the emulator does not have its {key}.")


def _check(name: str, wanted: Json, found: Json, properties: frozenset[str] | set[str]) -> None:
    for key in sorted(properties & wanted.keys()):
        if not _holds(wanted[key], found.get(key)):
            raise TemplateError(f"{name}: the emulator does not have its {key}.")


def _holds(wanted: Any, found: Any) -> bool:  # noqa: ANN401 - JSON from the template and from the emulator
    """Whether everything wanted is found; what is found besides, such as a default, does not matter."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_holds(value, found.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(_holds, wanted, found))
    return _text(wanted) == _text(found)


def _text(value: Any) -> str:  # noqa: ANN401 - a JSON scalar: attributes come back from SQS and SNS as strings
    return value if isinstance(value, str) else json.dumps(value)
