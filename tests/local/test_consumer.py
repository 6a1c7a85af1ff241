"""The example consumer, on its own: one line for each login, and its template asks for no more than it needs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from brokerlink.secret import Secret
from brokerlink.storage import to_wire
from brokerlink.tokens import Sealer, TokenRecord
from local.aws import worker_environment
from local.deployment import deploy
from local.emulator import Emulator
from local.errors import TemplateError
from local.template import Template
from local.worker import LambdaContext
from tests.kit.examples import example
from tests.kit.tables import create_tables

PROJECT = Path(__file__).parents[2]
CANARY = "c4nary-access-token"
OWNER = {"user_id": "asha", "broker": "pocketful", "account": "YA0002"}
# 24 November 2126, 00:00 IST: the consumer has no clock but the machine's.
MIDNIGHT = 4_951_132_200
EVENT = {
    "id": "attempt-1",
    "type": "brokerlink.token.issued.v1",
    "data": {**OWNER, "issued_at": MIDNIGHT - 40_000},
}


@pytest.fixture
def consumer(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The consumer's module, loaded anew with the environment that a deployment would give it, and a token to read."""
    dynamodb, kms = emulator.clients.dynamodb, emulator.clients.kms
    create_tables(dynamodb)
    dynamodb.create_table(
        TableName="processed",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    row = TokenRecord(
        **OWNER,
        ciphertext=Sealer(kms, kms.create_key()["KeyMetadata"]["Arn"]).seal(Secret(CANARY), **OWNER),
        scope="orders",
        token_type="bearer",
        attempt_id="attempt-1",
        issued_at_ms=(MIDNIGHT - 40_000) * 1000,
        expires_at=MIDNIGHT,
    )
    dynamodb.put_item(TableName="Tokens", Item=to_wire(row.to_item()))
    variables = {
        **worker_environment(emulator.url),
        "BROKERLINK_TOKENS_TABLE": "Tokens",
        "PROCESSED_EVENTS_TABLE": "processed",
        "POWERTOOLS_SERVICE_NAME": "consumer",
        "AWS_LAMBDA_FUNCTION_NAME": "ConsumerFunction",
    }
    with example("consumer/consumer.py", variables, monkeypatch) as module:
        yield module


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


def test_a_login_is_one_line_with_the_expiry_in_ist_and_without_the_token(
    consumer: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _receive(consumer, json.dumps(EVENT), json.dumps(EVENT)) == []
    output = capsys.readouterr()
    assert output.out == "pocketful YA0002: logged in until 24 Nov 2126, 00:00 IST\n"
    assert CANARY not in output.err


def test_a_bad_message_stops_nobody_behind_it(consumer: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert _receive(consumer, "no json", json.dumps(EVENT)) == ["0"]
    assert "logged in until" in capsys.readouterr().out


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
