"""docs/reader.md and the README, run as they are written, against a table with a token in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from moto import mock_aws

from brokerlink.reader import TokenReader
from tests.kit.clients import client
from tests.kit.documents import block
from tests.kit.shelf import ATTEMPT, ENDS, Shelf, event
from tests.kit.wire import refused

DOCUMENT = "docs/reader.md"
ASHA = {"user_id": "asha", "broker": "pocketful", "account": "YA0002"}


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A table with Asha's token, named in the environment; its day never ends by the machine's clock."""
    with mock_aws():
        made = Shelf()
        made.put(user_id="asha", expires_at=ENDS + 10**9)
        client("dynamodb").create_table(
            TableName="processed",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for name, value in {
            "BROKERLINK_TOKENS_TABLE": "Tokens",
            "PROCESSED_EVENTS_TABLE": "processed",
            "BROKERLINK_LOGIN_URL": "https://app.example/{broker}/{user_id}",
        }.items():
            monkeypatch.setenv(name, value)
        yield made


def run(name: str, **given: Any) -> dict[str, Any]:
    """Run a block of the document; give what it left behind."""
    exec(compile(block(DOCUMENT, name), f"{DOCUMENT}: {name}", "exec"), given)  # noqa: S102 - our own document
    return given


def test_on_login(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    del shelf
    handler = run("on_login", __name__="documented")["handler"]
    record = {"messageId": "1", "body": json.dumps(event(**ASHA)), "eventSource": "aws:sqs"}
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)
    assert handler({"Records": [record, record]}, context) == {"batchItemFailures": []}
    assert capsys.readouterr().out == f"pocketful YA0002 until {ENDS + 10**9}\n"


def test_get(shelf: Shelf) -> None:
    del shelf
    assert run("get", event=event(**ASHA))["token"].attempt_id == ATTEMPT


def test_many(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    run("many", reader=shelf.reader)
    assert capsys.readouterr().out == "pocketful YA0002\nasha YA0002\n"


def test_headers(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[requests.PreparedRequest] = []

    def send(_: object, request: requests.PreparedRequest, **__: object) -> requests.Response:
        sent.append(request)
        return requests.Response()

    monkeypatch.setattr(requests.Session, "send", send)
    run("headers", token=shelf.reader.get(**ASHA))
    (request,) = sent
    assert request.headers["Authorization"] == "Bearer canary-access-token"


def test_errors(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    reader = shelf.reader_with()
    run("errors", reader=reader, event=event(**ASHA | {"user_id": "ravi"}))
    shelf.kms_wire.meet("Decrypt", refused("DisabledException"), refused("InvalidCiphertextException"))
    for _ in range(3):
        run("errors", reader=reader, event=event(**ASHA))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "log in again: https://app.example/pocketful/ravi",
        "cannot be opened: DisabledException - and no other either",
        "cannot be opened: InvalidCiphertextException",
    ]


def test_cache(shelf: Shelf) -> None:
    del shelf
    reader = run("cache", TokenReader=TokenReader)["reader"]
    assert reader.get(**ASHA) == reader.get(**ASHA)


def test_readme_has_the_same_three_lines() -> None:
    written, readme = (block(*which).splitlines() for which in ((DOCUMENT, "on_login"), ("README.md", "three lines")))
    assert readme[:4] == written[:4]
    assert readme[4].startswith("def handler(token):")
