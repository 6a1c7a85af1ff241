"""The emulator holds real broker secrets when a developer uses an app of their own: no web page may reach it."""

import http.client
import os
import threading
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


def test_writes_are_noted_and_reads_are_not(emulator: Emulator) -> None:
    clients = emulator.clients
    url = clients.sqs.create_queue(QueueName="inbox")["QueueUrl"]
    topic = clients.sns.create_topic(Name="topic")["TopicArn"]
    before = emulator.changes.count
    clients.sqs.receive_message(QueueUrl=url)
    clients.dynamodb.list_tables()
    assert emulator.changes.count == before
    clients.sqs.send_message(QueueUrl=url, MessageBody="x")
    assert emulator.changes.count == before + 1
    clients.sns.publish(TopicArn=topic, Message="x")
    assert emulator.changes.count == before + 2


def test_a_wait_ends_with_the_next_change_and_with_the_end() -> None:
    changes = Changes()
    seen = changes.count
    waiting = threading.Thread(target=changes.wait, args=(seen, 30.0))
    waiting.start()
    changes.note()
    waiting.join(10)
    assert not waiting.is_alive()
    waiting = threading.Thread(target=changes.wait_for_close, args=(30.0,))
    waiting.start()
    changes.close()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_change_before_the_wait_is_not_missed() -> None:
    changes = Changes()
    seen = changes.count
    changes.note()
    changes.wait(seen, 30.0)  # would hang into the test's timeout if it missed the change
    assert changes.count == seen + 1
