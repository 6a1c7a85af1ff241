"""The consumer in TypeScript reads the very token that the reader in Python does, and acts on each login once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from brokerlink.reader import TokenReader
from local.aws import worker_environment
from local.stack import Stack
from tests.integration.test_examples import announced
from tests.integration.walker import Walker
from tests.kit.node import NODE, answer_of, installed, run

# Hands each batch that it reads to the handler, and tells what was answered, and the hash of a token.
_DRIVER = """
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { handler } from './consumer.ts';
import { readToken } from './token.ts';

const { batches, event } = JSON.parse(await text(process.stdin));
const context = { getRemainingTimeInMillis: () => 30000 };
const failed = [];
for (const batch of batches) {
  const answer = await handler(batch, context);
  failed.push(answer.batchItemFailures.map((failure) => failure.itemIdentifier));
}
const token = await readToken(event, process.env.BROKERLINK_TOKENS_TABLE);
const shown = `${JSON.stringify(token)} ${token} ${(await import('node:util')).inspect(token, { showHidden: true })}`;
const hash = createHash('sha256').update(token.accessToken).digest('hex');
const sent = createHash('sha256').update(token.headers.Authorization).digest('hex');
console.log(JSON.stringify({ failed, hash, sent, leaks: shown.includes(token.accessToken) }));
"""


@pytest.fixture(scope="session")
def example() -> Path:
    return installed()


def message(body: object, place: int = 0) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": str(place), "body": text, "eventSource": "aws:sqs"}


def test_its_types_hold(engine: str, example: Path) -> None:
    if engine == "moto":  # the types are the same on both
        run(NODE, example / "node_modules" / "typescript" / "bin" / "tsc")


@pytest.mark.usefixtures("example")
def test_it_reads_the_same_token_and_acts_on_each_login_once(stack: Stack, walker: Walker) -> None:
    event, other = (announced(walker, broker) for broker in ("pocketful", "fivepaisa"))
    gone = {**event, "id": "R" * 43, "data": {**event["data"], "user_id": "nobody"}}
    stolen = {**event, "id": "S" * 43, "data": {**event["data"], "issued_at": event["data"]["issued_at"] - 1}}
    another_kind = {**event, "id": "T" * 43, "type": "brokerlink.token.expiring.v1"}
    batches = [
        {"Records": [message(event, 0), message(event, 1)]},
        {"Records": [message(each, place) for place, each in enumerate(["no json", gone, "[]", another_kind, other])]},
        {"Records": [message(event), message(stolen, 1)]},
    ]
    environment = {
        **worker_environment(stack.aws_url),
        "BROKERLINK_TOKENS_TABLE": stack.outputs["TokensTableName"],
        "PROCESSED_EVENTS_TABLE": stack.consumer.physical_ids["ProcessedEvents"],
        "AWS_LAMBDA_FUNCTION_NAME": "typescript",
    }
    done = run(
        NODE,
        "--input-type=module",
        "--eval",
        _DRIVER,
        given={"batches": batches, "event": event},
        environment=environment,
    )
    token = TokenReader(environment["BROKERLINK_TOKENS_TABLE"], dynamodb=stack.clients.dynamodb, kms=stack.clients.kms)
    access_token = token.get(event).access_token
    answer = answer_of(done)
    # The messages of a batch are taken side by side: one that finds its like under way comes again, for nothing.
    assert len(answer["failed"][0]) <= 1
    assert answer["failed"][1:] == [["0", "2"], []]
    assert answer["hash"] == hashlib.sha256(access_token.encode()).hexdigest()
    assert answer["sent"] == hashlib.sha256(f"Bearer {access_token}".encode()).hexdigest()
    assert not answer["leaks"]
    assert done.stdout.count("pocketful YA0002: logged in until") == 1
    assert done.stdout.count("fivepaisa 50052770: logged in until") == 1
    assert done.stderr.count("no token of pocketful/YA0002 for this user") == 1
    assert access_token not in done.stdout + done.stderr
