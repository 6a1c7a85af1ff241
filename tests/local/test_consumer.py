"""The example consumer, on its own: each event once, nothing about an event lost, no token anywhere."""

import importlib.util
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from brokerlink.reader import BrokerToken, TokenExpired, TokenNotFound
from brokerlink.secret import Secret
from local.aws import worker_environment
from local.deployment import deploy
from local.emulator import Emulator
from local.errors import TemplateError
from local.template import Template
from local.worker import LambdaContext

PROJECT = Path(__file__).parents[2]
CANARY = "c4nary-access-token"
EVENT = {"id": "attempt-1", "type": "brokerlink.token.issued.v1", "data": {"broker": "pocketful", "account": "YA0002"}}
# 24 November 2026, 00:00 IST.
MIDNIGHT = 1_795_458_600
TOKEN = BrokerToken(
    secret=Secret(CANARY),
    user_id="asha",
    broker="pocketful",
    account="YA0002",
    scope="orders",
    token_type="bearer",
    attempt_id="attempt-1",
    issued_at=MIDNIGHT - 40_000,
    expires_at=MIDNIGHT,
)


@dataclass
class FakeReader:
    """A reader that gives the token, or raises what it is told to, and counts."""

    problem: Exception | None = None
    calls: list[object] = field(default_factory=list)

    def get(self, event: object) -> BrokerToken:
        self.calls.append(event)
        if self.problem is not None:
            raise self.problem
        return TOKEN


@pytest.fixture
def consumer(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The consumer's module, loaded anew with the environment that a deployment would give it."""
    table = "processed"
    emulator.clients.dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    variables = {
        **worker_environment(emulator.url),
        "BROKERLINK_TOKENS_TABLE": "tokens",
        "PROCESSED_EVENTS_TABLE": table,
        "POWERTOOLS_SERVICE_NAME": "consumer",
        "AWS_LAMBDA_FUNCTION_NAME": "ConsumerFunction",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    boto3.setup_default_session()
    spec = importlib.util.spec_from_file_location("consumer", PROJECT / "examples" / "consumer" / "consumer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    boto3.DEFAULT_SESSION = None


@pytest.fixture
def reader(consumer: ModuleType) -> FakeReader:
    fake = FakeReader()
    consumer.__dict__["tokens"] = fake
    return fake


def _receive(consumer: ModuleType, *bodies: str) -> list[str]:
    """Run one batch; return which of its messages failed, by their place."""
    context = LambdaContext(
        {
            "Lambda-Runtime-Aws-Request-Id": "r",
            "Lambda-Runtime-Invoked-Function-Arn": "arn",
            "Lambda-Runtime-Deadline-Ms": "99999999999999",
        },
        {
            "AWS_LAMBDA_FUNCTION_NAME": "ConsumerFunction",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "g",
            "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        },
    )
    records = [
        {"messageId": str(place), "body": body, "eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}
        for place, body in enumerate(bodies)
    ]
    response: dict[str, Any] = consumer.handler({"Records": records}, context)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_an_event_is_one_line_with_the_expiry_in_ist_and_without_the_token(
    consumer: ModuleType, reader: FakeReader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _receive(consumer, json.dumps(EVENT)) == []
    assert reader.calls == [EVENT]
    output = capsys.readouterr()
    assert output.out == "pocketful YA0002: logged in until 24 Nov 2026, 00:00 IST\n"
    assert CANARY not in output.err


def test_an_event_that_comes_twice_is_acted_on_once(
    consumer: ModuleType, reader: FakeReader, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {**EVENT, "id": "attempt-2"}
    assert _receive(consumer, json.dumps(EVENT), json.dumps(EVENT)) == []
    assert _receive(consumer, json.dumps(EVENT), json.dumps(other)) == []
    assert reader.calls == [EVENT, other]
    assert capsys.readouterr().out.count("logged in until") == 2


@pytest.mark.parametrize("gone", [TokenExpired("the token has ended"), TokenNotFound("no token")])
def test_a_token_that_is_gone_is_logged_and_not_tried_again(
    consumer: ModuleType, reader: FakeReader, caplog: pytest.LogCaptureFixture, gone: Exception
) -> None:
    reader.problem = gone
    assert _receive(consumer, json.dumps(EVENT)) == []
    (line,) = caplog.records
    assert line.levelname == "WARNING"
    assert str(gone) in line.getMessage()


def test_a_passing_failure_makes_the_message_come_again_and_then_it_is_acted_on(
    consumer: ModuleType,
    reader: FakeReader,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader.problem = EndpointConnectionError(endpoint_url="https://kms.example")
    assert _receive(consumer, json.dumps(EVENT)) == ["0"]
    assert [line.levelname for line in caplog.records] == ["ERROR"]
    reader.problem = None
    assert _receive(consumer, json.dumps(EVENT)) == []
    assert "logged in until" in capsys.readouterr().out


@pytest.mark.parametrize("poison", ["no json", "[]", "{}", '{"type": "x"}'])
def test_poison_fails_alone(
    consumer: ModuleType, reader: FakeReader, capsys: pytest.CaptureFixture[str], poison: str
) -> None:
    assert _receive(consumer, poison, json.dumps(EVENT)) == ["0"]
    assert reader.calls == [EVENT]
    assert "logged in until" in capsys.readouterr().out


def test_nothing_that_is_stored_about_an_event_holds_the_token(
    consumer: ModuleType, reader: FakeReader, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    _receive(consumer, json.dumps(EVENT))
    del reader
    capsys.readouterr()
    (row,) = emulator.clients.dynamodb.scan(TableName="processed")["Items"]
    assert CANARY not in str(row)
    assert "expiration" in row


def test_its_template_asks_for_nothing_beyond_its_own_queue_table_and_log() -> None:
    template = Template.load(PROJECT / "examples" / "consumer" / "template.yaml", {})
    role = template.resources["ConsumerRole"]["Properties"]
    statements = [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
    assert "*" not in [statement["Resource"] for statement in statements]
    actions = {action for statement in statements for action in _as_list(statement["Action"])}
    assert not any(re.search(r"\*|Scan|Query", action) for action in actions)
    # No role of SAM's making beside it, which would read every queue of the account.
    assert list(template.of_type("AWS::IAM::Role")) == ["ConsumerRole"]


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_without_brokerlinks_exports_its_start_says_what_is_missing(emulator: Emulator) -> None:
    parameters = {"BrokerlinkStack": "absent", "BrokerlinkLayerArn": "arn"}
    template = Template.load(PROJECT / "examples" / "consumer" / "template.yaml", parameters)

    with pytest.raises(TemplateError, match="No export named absent-"):
        deploy(template, emulator, name="consumer", parameters=parameters)
