"""AWS calls as IAM sees them, read from the wire: who, which action, on what, under which context keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

_CALLER = re.compile(r"Credential=([^/,]+)/")
_KMS_CONTEXT = "kms:EncryptionContext:"


@dataclass(frozen=True)
class Call:
    """One action on one resource. `resource` is what the caller named; `context` are the condition keys, sorted."""

    caller: str
    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()


def calls_of(environ: Mapping[str, Any], body: bytes, answer: bytes = b"{}") -> Iterator[Call]:
    """Take a request apart, and its answer. Raises `ValueError` for one that nobody has taught this module to read."""
    found = _CALLER.search(environ.get("HTTP_AUTHORIZATION", ""))
    caller = found[1] if found else ""
    target, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    # SNS speaks the query protocol, the others JSON.
    asked: dict[str, Any] = json.loads(body or b"{}") if operation else dict(parse_qsl(body.decode()))
    match target.partition("_")[0], operation or asked.get("Action", ""):
        case "DynamoDB", "TransactWriteItems":
            # IAM knows no such action: it is the actions of the writes in it (API reference, TransactWriteItems).
            for write in asked["TransactItems"]:
                ((kind, item),) = write.items()
                yield Call(caller, f"dynamodb:{kind}Item", item["TableName"])
        case "DynamoDB", name:
            index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
            yield Call(caller, f"dynamodb:{name}", asked.get("TableName", "*") + index)
        case "DynamoDBStreams", name:
            yield Call(caller, f"dynamodb:{name}", asked.get("StreamArn", "*"))
        case "TrentService", name:
            # Whoever decrypts need not name the key: the ciphertext does, and the answer tells.
            key = asked.get("KeyId") or json.loads(answer).get("KeyId", "*")
            yield Call(caller, f"kms:{name}", key, _context(asked.get("EncryptionContext", {})))
        case "secretsmanager", name:
            yield Call(caller, f"secretsmanager:{name}", asked.get("SecretId", "*"))
        case "AmazonSQS", name:
            yield Call(caller, f"sqs:{name}", asked.get("QueueUrl", "*"))
        case "", "Publish":
            yield Call(caller, "sns:Publish", asked["TopicArn"])
        case service, name:
            raise ValueError(f"{caller} called {service or 'a service'} {name}, which is not read here")


def _context(encryption: Mapping[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    keys = {f"{_KMS_CONTEXT}{name}": (value,) for name, value in encryption.items()}
    return tuple(sorted({**keys, "kms:EncryptionContextKeys": tuple(sorted(encryption))}.items()))
