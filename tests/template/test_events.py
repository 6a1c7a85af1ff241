"""The sample events are what the gateway and the stream send to the functions of this template."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tests.template.check_api import OPEN, SIGNED
from tests.template.stack import ROOT, Json, Stack

EVENTS = sorted((ROOT / "events").glob("*.json"))
REQUESTS = [path for path in EVENTS if not path.name.startswith(("announce-", "remind-"))]
RUNS = [path for path in EVENTS if path.name.startswith("remind-")]
CHANGES = [path for path in EVENTS if path.name.startswith("announce-")]
# What the broker and the browser would carry back, made from a text that says what it is.
STATE = base64.urlsafe_b64encode(b"state-of-a-sample-event-not-real").rstrip(b"=").decode()
ATTEMPT = base64.urlsafe_b64encode(hashlib.sha256(STATE.encode()).digest()).rstrip(b"=").decode()


def _read(path: Path) -> Json:
    event: Json = json.loads(path.read_text(encoding="utf-8"))
    return event


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_request_comes_by_a_route_of_its_function(path: Path) -> None:
    event = _read(path)
    context, route = event["requestContext"], event["routeKey"]
    function, _, _ = (OPEN | SIGNED)[route].partition("Function")
    method, _, pattern = route.partition(" ")
    matched = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), event["rawPath"])
    assert path.name.startswith(f"{function.lower()}-")
    assert matched is not None
    assert event.get("pathParameters", {}) == matched.groupdict()
    assert event["version"] == "2.0"
    assert context["routeKey"] == route
    assert (context["http"]["method"], context["http"]["path"]) == (method, event["rawPath"])
    assert context["domainName"] == event["headers"]["host"]
    assert ("iam" in context.get("authorizer", {})) == (route in SIGNED)
    assert all(name == name.lower() for name in event["headers"])


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_request_says_its_parameters_twice_alike(path: Path) -> None:
    event = _read(path)
    parameters = parse_qsl(
        event["rawQueryString"], keep_blank_values=True, strict_parsing=bool(event["rawQueryString"])
    )
    if event["isBase64Encoded"]:
        parameters += parse_qsl(base64.b64decode(event["body"]).decode(), strict_parsing=True)
    else:
        assert dict(parameters) == event.get("queryStringParameters", {})
    assert dict(parameters).get("state", STATE) == STATE
    assert dict(parameters).get("attempt", ATTEMPT) == ATTEMPT


def test_the_changes_are_of_every_kind() -> None:
    records = {path.stem: record for path in CHANGES for record in _read(path)["Records"]}
    assert {name.removeprefix("announce-"): record["eventName"] for name, record in records.items()} == {
        "insert": "INSERT",
        "modify": "MODIFY",
        "ttl-removal": "REMOVE",
        "revoked": "INSERT",
        "expiring": "INSERT",
        "reminder": "MODIFY",
        "failed": "MODIFY",
    }
    service = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    for name, record in records.items():
        assert record.get("userIdentity") == (service if name == "announce-ttl-removal" else None)
        change = record["dynamodb"]
        images = change.keys() & {"NewImage", "OldImage"}
        expected = {"INSERT": {"NewImage"}, "MODIFY": {"NewImage", "OldImage"}, "REMOVE": {"OldImage"}}
        attempts = "LoginAttempts" in record["eventSourceARN"]
        assert images == ({"NewImage"} if attempts else expected[record["eventName"]])
        assert change["StreamViewType"] == ("NEW_IMAGE" if attempts else "NEW_AND_OLD_IMAGES")
        assert change["Keys"].keys() == ({"attempt_id"} if attempts else {"user_id", "connection"})
        assert all(change["Keys"].items() <= change[image].items() for image in images)


def test_every_schedule_has_a_sample(stack: Stack) -> None:
    schedules = stack.whole["Resources"]
    inputs = [each["Properties"]["Target"]["Input"] for each in schedules.values() if "Schedule" in each["Type"]]
    samples = [_read(path) for path in RUNS]
    assert {sample["run"] for sample in samples} == {json.loads(text)["run"] for text in inputs}
    for sample in samples:
        assert datetime.fromisoformat(sample["time"]).utcoffset() == timedelta(0)
        assert sample.keys() == {"run", "time"}


def test_every_route_has_a_sample() -> None:
    assert {_read(path)["routeKey"] for path in REQUESTS} == (OPEN | SIGNED).keys()
