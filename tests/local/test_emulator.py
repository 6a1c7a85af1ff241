"""The emulator holds real broker secrets when a developer uses an app of their own: no web page may reach it."""

import http.client
import os
import threading
from functools import partial
from urllib.parse import urlsplit

import pytest

from local.aws import Clients, forget_own_aws
from local.emulator import Changes, Emulator
from local.ports import listen


def _status(emulator: Emulator, path: str = "/", headers: dict[str, str] | None = None, method: str = "GET") -> int:
    connection = http.client.HTTPConnection(urlsplit(emulator.url).netloc, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/moto-api/", "/moto-api/data.json", "/latest/meta-data/", "/favicon.ico"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Host": "attacker.example"},
        {"Host": "attacker.example:8002"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Host": "[::1]:8002"},
        {"Host": ""},
    ],
)
def test_a_web_page_or_a_rebound_name_is_refused(emulator: Emulator, path: str, headers: dict[str, str]) -> None:
    assert _status(emulator, path, headers) == 403


def test_a_preflight_is_refused(emulator: Emulator) -> None:
    headers = {"Origin": "https://attacker.example", "Access-Control-Request-Method": "POST"}
    assert _status(emulator, headers=headers, method="OPTIONS") == 403


@pytest.mark.parametrize("length", ["abc", "-1", "+1", "1.0", "0x1"])
def test_a_length_that_is_no_number_is_refused(
    emulator: Emulator, length: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _status(emulator, headers={"Content-Length": length}, method="POST") == 400
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_own_names_are_served(emulator: Emulator, name: str) -> None:
    port = urlsplit(emulator.url).port
    assert _status(emulator, "/moto-api/", {"Host": f"{name}:{port}"}) == 200


OWN_AWS = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
}


def test_clients_ignore_the_developers_own_aws_settings(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert emulator.clients.dynamodb.list_tables()["TableNames"] == []
    for name, value in OWN_AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    client = Clients(emulator.url).dynamodb
    assert client.list_tables()["TableNames"] == []
    assert client.meta.region_name == "ap-south-1"


def test_the_process_forgets_the_developers_own_aws_settings() -> None:
    environment = {**OWN_AWS, "PATH": "/bin"}
    forget_own_aws(environment)
    assert not OWN_AWS.keys() & environment.keys()
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert environment["PATH"] == "/bin"


def test_each_emulator_starts_empty(emulator: Emulator) -> None:
    emulator.clients.sqs.create_queue(QueueName="first")
    other = Emulator(listen(0, "AWS_PORT"))
    try:
        assert "QueueUrls" not in other.clients.sqs.list_queues()
        assert other.account != emulator.account
    finally:
        other.close()
    assert len(emulator.clients.sqs.list_queues()["QueueUrls"]) == 1


def test_a_watch_sees_the_writes_to_its_resource_and_no_reads(emulator: Emulator) -> None:
    clients = emulator.clients
    url = clients.sqs.create_queue(QueueName="inbox")["QueueUrl"]
    topic = clients.sns.create_topic(Name="topic")["TopicArn"]
    clients.dynamodb.create_table(
        TableName="Things",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    inbox, other, table = (emulator.changes.watch(name) for name in ("inbox", "outbox", "Things"))
    clients.sqs.receive_message(QueueUrl=url)
    clients.dynamodb.scan(TableName="Things")
    assert (inbox.count, other.count, table.count) == (0, 0, 0)
    clients.sqs.send_message(QueueUrl=url, MessageBody="x")
    assert (inbox.count, other.count, table.count) == (1, 0, 0)
    clients.dynamodb.put_item(TableName="Things", Item={"id": {"S": "a"}})
    assert (inbox.count, other.count, table.count) == (1, 0, 1)
    clients.dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": "Things", "Item": {"id": {"S": "b"}}}}])
    assert (inbox.count, other.count, table.count) == (1, 0, 2)
    # It may go to any queue.
    clients.sns.publish(TopicArn=topic, Message="x")
    assert (inbox.count, other.count) == (2, 1)


def test_a_wait_ends_with_the_next_change_and_with_the_end() -> None:
    changes = Changes()
    watch = changes.watch("inbox")
    waiting = threading.Thread(target=watch.wait, args=(watch.count, 30.0))
    waiting.start()
    changes.note(b'{"QueueUrl": "inbox"}')
    waiting.join(10)
    assert not waiting.is_alive()
    for wait in (partial(watch.wait, watch.count), changes.wait_for_close):
        waiting = threading.Thread(target=wait, args=(30.0,))
        waiting.start()
        changes.close()
        waiting.join(10)
        assert not waiting.is_alive()


def test_a_change_before_the_wait_is_not_missed() -> None:
    changes = Changes()
    watch = changes.watch("inbox")
    changes.note(b'{"QueueUrl": "inbox"}')
    watch.wait(0, 30.0)  # would hang into the test's timeout if it missed the change
    assert watch.count == 1
