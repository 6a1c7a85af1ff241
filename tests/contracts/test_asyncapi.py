"""contracts/asyncapi.yaml: valid by AsyncAPI's schema, and one with the events' schemas, the code and the example."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker

from brokerlink import events
from tests.kit.contract import CONTRACTS, openapi
from tests.template.stack import consumer_source, source
from tools.asyncapi import schema

PROJECT = CONTRACTS.parent
DOCUMENT: dict[str, Any] = yaml.safe_load((CONTRACTS / "asyncapi.yaml").read_text())
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]
# Each message's name in the code, and samples of the records that tell it.
TOLD = {
    "tokenIssued": (events.TOKEN_ISSUED, ("announce-insert.json", "announce-modify.json")),
    "loginFailed": (events.LOGIN_FAILED, ("announce-failed.json",)),
    "loginReminder": (events.LOGIN_REMINDER, ("announce-reminder.json",)),
    "tokenExpiring": (events.TOKEN_EXPIRING, ("announce-expiring.json",)),
    "tokenRevoked": (events.TOKEN_REVOKED, ("announce-revoked.json",)),
}
TABLES = {
    "LinksTable": events.notice,
    "LoginAttemptsTable": events.login_failed,
    "TokensTable": events.token_issued,
}
EVERY_MESSAGE = pytest.mark.parametrize("name", MESSAGES)


def payload(name: str) -> dict[str, Any]:
    """Give the schema of a message's event."""
    file: str = MESSAGES[name]["payload"]["schema"]["$ref"]
    read: dict[str, Any] = json.loads((CONTRACTS / file).read_text())
    return read


def published(record: dict[str, Any]) -> events.Event:
    """Make the event of a sample, by the table whose stream it is of."""
    (make,) = (each for table, each in TABLES.items() if f"-{table}-" in record["eventSourceARN"])
    return make(record, source="brokerlink/brokerlink")


def records(sample: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((PROJECT / "events" / sample).read_text())["Records"]
    return found


def test_document_is_valid_asyncapi() -> None:
    path = schema(DOCUMENT["asyncapi"])
    if not path.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("AsyncAPI's schema is not there: python -m tools.asyncapi")
        pytest.skip("AsyncAPI's schema is not there: python -m tools.asyncapi")
    assert not [error.message for error in Draft7Validator(json.loads(path.read_text())).iter_errors(DOCUMENT)]


def test_version_is_the_other_contracts() -> None:
    assert DOCUMENT["info"]["version"] == openapi()["info"]["version"]


def test_messages_are_those_that_the_code_knows() -> None:
    assert MESSAGES.keys() == TOLD.keys() == DOCUMENT["channels"]["tokenIssued"]["messages"].keys()
    schemas = {path.name for path in CONTRACTS.glob("*.schema.json")}
    assert {message["payload"]["schema"]["$ref"].removeprefix("./") for message in MESSAGES.values()} == schemas


@EVERY_MESSAGE
def test_event_schema_reads_the_same_by_both_drafts(name: str) -> None:
    """AsyncAPI's tools read it by draft 7, the event's own consumers by draft 2020-12."""
    event = payload(name)
    assert MESSAGES[name]["payload"]["schemaFormat"] == "application/schema+json;version=draft-07"
    Draft7Validator.check_schema(event)
    Draft202012Validator.check_schema(event)
    assert _keywords(event) <= {
        *("$schema", "$id", "title", "description", "type", "required", "properties", "const", "pattern", "format"),
    }


def _keywords(schema: dict[str, Any]) -> set[str]:
    return set(schema).union(*map(_keywords, schema.get("properties", {}).values()))


@EVERY_MESSAGE
def test_what_announce_publishes_is_the_message(name: str) -> None:
    event_of, headers = payload(name), MESSAGES[name]["headers"]
    for record in (each for sample in TOLD[name][1] for each in records(sample)):
        event = published(record)
        Draft202012Validator(event_of, format_checker=FormatChecker()).validate(json.loads(event.message))
        Draft202012Validator(headers).validate(dict(event.attributes))
        assert event.attributes.keys() == headers["properties"].keys()
        # Everything that is published is described, and everything described is published.
        assert json.loads(event.message).keys() == set(event_of["required"]) == event_of["properties"].keys()
        data = event_of["properties"]["data"]
        assert json.loads(event.message)["data"].keys() == data["properties"].keys() >= set(data["required"])


@EVERY_MESSAGE
def test_example_is_such_a_message(name: str) -> None:
    (example,) = MESSAGES[name]["examples"]
    Draft202012Validator(payload(name), format_checker=FormatChecker()).validate(example["payload"])
    Draft202012Validator(MESSAGES[name]["headers"]).validate(example["headers"])


@EVERY_MESSAGE
def test_names_are_the_codes(name: str) -> None:
    event = payload(name)
    assert MESSAGES[name]["name"] == TOLD[name][0] == event["properties"]["type"]["const"] == event["title"]
    assert event["$id"] == events.data_schema(TOLD[name][0]) == event["properties"]["dataschema"]["const"]


@EVERY_MESSAGE
def test_patterns_are_those_of_the_http_api(name: str) -> None:
    schemas = openapi()["components"]["schemas"]
    event = payload(name)
    data = event["properties"]["data"]["properties"]
    attempt_id, owner = schemas["AttemptId"]["pattern"], schemas["Owner"]["pattern"]
    notice = name.removeprefix("token").removeprefix("login").lower()
    told = attempt_id if name == "tokenIssued" else attempt_id.removesuffix("$") + rf"\.{notice}$"
    assert event["properties"]["id"]["pattern"] == told
    assert data["broker"]["pattern"] == schemas["BrokerId"]["pattern"]
    assert data.get("account", schemas["Account"])["pattern"] == schemas["Account"]["pattern"]
    assert data["user_id"]["pattern"] == (owner if "account" in data else schemas["UserId"]["pattern"])
    assert MESSAGES[name]["headers"]["properties"]["broker"]["pattern"] == schemas["BrokerId"]["pattern"]


def test_topic_is_the_templates() -> None:
    binding = DOCUMENT["channels"]["tokenIssued"]["bindings"]["sns"]
    topic = source()["Resources"][binding["name"]]
    assert topic["Type"] == "AWS::SNS::Topic"
    assert "FifoTopic" not in topic["Properties"]
    assert binding["ordering"] == {"type": "standard"}
    assert source()["Outputs"]["TokenIssuedTopicArn"]["Value"] == {"Ref": binding["name"]}


def test_consumer_is_the_example() -> None:
    resources = consumer_source()["Resources"]
    subscription = resources["Subscription"]["Properties"]
    (consumer,) = DOCUMENT["operations"]["announceToken"]["bindings"]["sns"]["consumers"]
    assert consumer["protocol"] == subscription["Protocol"]
    assert consumer["rawMessageDelivery"] is subscription["RawMessageDelivery"]
    assert consumer["filterPolicy"]["type"] == subscription["FilterPolicy"]["type"]
    for name in (consumer["endpoint"]["name"], consumer["redrivePolicy"]["deadLetterQueue"]["name"]):
        assert resources[name]["Type"] == "AWS::SQS::Queue"
