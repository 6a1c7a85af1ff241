"""contracts/asyncapi.yaml: valid by AsyncAPI's schema, and one with the event's schema, the code and the example."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from samtranslator.yaml_helper import yaml_parse

from brokerlink.events import DATA_SCHEMA, TOKEN_ISSUED, token_issued
from tests.kit.contract import CONTRACTS, openapi
from tests.template.stack import source
from tools.asyncapi import schema

PROJECT = CONTRACTS.parent
EVENT: dict[str, Any] = json.loads((CONTRACTS / "token.issued.v1.schema.json").read_text())
DOCUMENT: dict[str, Any] = yaml.safe_load((CONTRACTS / "asyncapi.yaml").read_text())
MESSAGE: dict[str, Any] = DOCUMENT["components"]["messages"]["tokenIssued"]
SAMPLES = ("announce-insert.json", "announce-modify.json")


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


def test_event_schema_reads_the_same_by_both_drafts() -> None:
    """AsyncAPI's tools read it by draft 7, the event's own consumers by draft 2020-12."""
    assert MESSAGE["payload"] == {
        "schemaFormat": "application/schema+json;version=draft-07",
        "schema": {"$ref": "./token.issued.v1.schema.json"},
    }
    Draft7Validator.check_schema(EVENT)
    Draft202012Validator.check_schema(EVENT)
    assert _keywords(EVENT) <= {
        *("$schema", "$id", "title", "description", "type", "required", "properties", "const", "pattern", "format"),
    }


def _keywords(schema: dict[str, Any]) -> set[str]:
    return set(schema).union(*map(_keywords, schema.get("properties", {}).values()))


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_announce_publishes_is_the_message(sample: str) -> None:
    for record in records(sample):
        event = token_issued(record, source="brokerlink/brokerlink")
        Draft202012Validator(EVENT, format_checker=FormatChecker()).validate(json.loads(event.message))
        Draft202012Validator(MESSAGE["headers"]).validate(dict(event.attributes))
        assert event.attributes.keys() == MESSAGE["headers"]["properties"].keys()
        # Everything that is published is described, and everything described is published.
        assert json.loads(event.message).keys() == set(EVENT["required"]) == EVENT["properties"].keys()
        data = EVENT["properties"]["data"]
        assert json.loads(event.message)["data"].keys() == set(data["required"]) == data["properties"].keys()


def test_example_is_such_a_message() -> None:
    (example,) = MESSAGE["examples"]
    Draft202012Validator(EVENT, format_checker=FormatChecker()).validate(example["payload"])
    Draft202012Validator(MESSAGE["headers"]).validate(example["headers"])


def test_names_are_the_codes() -> None:
    assert MESSAGE["name"] == TOKEN_ISSUED == EVENT["properties"]["type"]["const"] == EVENT["title"]
    assert EVENT["$id"] == DATA_SCHEMA == EVENT["properties"]["dataschema"]["const"]


def test_patterns_are_those_of_the_http_api() -> None:
    schemas = openapi()["components"]["schemas"]
    data = EVENT["properties"]["data"]["properties"]
    assert EVENT["properties"]["id"]["pattern"] == schemas["AttemptId"]["pattern"]
    assert data["broker"]["pattern"] == schemas["BrokerId"]["pattern"]
    assert data["account"]["pattern"] == schemas["Account"]["pattern"]
    assert MESSAGE["headers"]["properties"]["broker"]["pattern"] == schemas["BrokerId"]["pattern"]


def test_topic_is_the_templates() -> None:
    binding = DOCUMENT["channels"]["tokenIssued"]["bindings"]["sns"]
    topic = source()["Resources"][binding["name"]]
    assert topic["Type"] == "AWS::SNS::Topic"
    assert "FifoTopic" not in topic["Properties"]
    assert binding["ordering"] == {"type": "standard"}
    assert source()["Outputs"]["TokenIssuedTopicArn"]["Value"] == {"Ref": binding["name"]}


def test_consumer_is_the_example() -> None:
    resources = yaml_parse((PROJECT / "examples" / "consumer" / "template.yaml").read_text())["Resources"]
    subscription = resources["Subscription"]["Properties"]
    (consumer,) = DOCUMENT["operations"]["announceToken"]["bindings"]["sns"]["consumers"]
    assert consumer["protocol"] == subscription["Protocol"]
    assert consumer["rawMessageDelivery"] is subscription["RawMessageDelivery"]
    assert consumer["filterPolicy"]["type"] == subscription["FilterPolicy"]["type"]
    for name in (consumer["endpoint"]["name"], consumer["redrivePolicy"]["deadLetterQueue"]["name"]):
        assert resources[name]["Type"] == "AWS::SQS::Queue"
