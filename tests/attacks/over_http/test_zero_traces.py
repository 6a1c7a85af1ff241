"""After all attacks, which is why this module's name is the last: what they left behind."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from brokerlink.storage import from_wire
from tests.attacks.over_http.scene import Scene


def test_no_grant_was_sent_to_a_broker_twice(scene: Scene) -> None:
    """Pocketful's server ends the token of a code that comes again: we never let it."""
    for broker in ("pocketful", "fivepaisa"):
        scene.browser().login(f"/authorize/{broker}").finish()
    seen = scene.walker.broker.get(f"{scene.stack.brokers_url}/simulator/requests").json()
    exchanges = [each for each in seen if each["endpoint"] == "token"]
    codes = Counter(parse_qs(each["body"])["code"][0] for each in exchanges if each["broker"] == "pocketful")
    tokens = Counter(
        json.loads(each["body"])["body"]["RequestToken"] for each in exchanges if each["broker"] == "fivepaisa"
    )
    for sent in (codes, tokens):
        assert {sent[grant] for grant in sent.keys() & scene.secrets} == {1}


def test_no_secret_was_logged(scene: Scene) -> None:
    login = scene.browser().login()
    login.finish()
    scene.stack.received.wait_for(lambda event: event["id"] == login.attempt_id)
    logs = "".join(file.read_text() for file in scene.stack.log_folder.iterdir())
    assert login.attempt_id in logs
    told = {*scene.secrets, *(base64.b64encode(secret.encode()).decode() for secret in scene.secrets)}
    assert not [secret for secret in told if secret in logs]


def test_no_function_crashed(scene: Scene) -> None:
    for name in ("authorize", "callback", "announce"):
        lines = [json.loads(line) for line in (scene.stack.log_folder / f"{name}.jsonl").read_text().splitlines()]
        assert not [line for line in lines if line.get("message") in {"crashed", "unpublishable"}]


def test_every_token_is_its_own_users_and_every_attempt_is_decided(scene: Scene) -> None:
    dynamodb, outputs = scene.stack.clients.dynamodb, scene.stack.deployment.outputs
    tokens: list[dict[str, Any]] = [
        dict(from_wire(item)) for item in dynamodb.scan(TableName=outputs["TokensTableName"])["Items"]
    ]
    attempts: dict[str, dict[str, Any]] = {
        item["attempt_id"]["S"]: dict(from_wire(item))
        for page in dynamodb.get_paginator("scan").paginate(TableName=outputs["LoginAttemptsTableName"])
        for item in page["Items"]
    }
    for token in tokens:
        attempt = attempts.get(token["attempt_id"])
        if attempt is not None:  # some were removed, as their time to live removes them
            assert attempt["status"] == "SUCCEEDED"
            assert token["user_id"] == attempt.get("user_id", f"{token['broker']}:{token['account']}")
            assert attempt.get("expected_account", token["account"]) == token["account"]
    assert "EXCHANGING" not in {row["status"] for row in attempts.values()}
    assert not [row for row in attempts.values() if "ciphertext" in row and row["status"] != "HELD"]
