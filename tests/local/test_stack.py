"""The whole local stack: a login reaches the consumer once, and its token reaches nobody else."""

import json
import shutil
from pathlib import Path

import pytest
import requests

from local.errors import ConfigurationError, LocalStackError, PortInUseError
from local.ports import Ports, listen
from local.stack import PROJECT, Stack
from local.template import Json
from tests.local.browser import Browser


def _log(stack: Stack, name: str) -> list[Json]:
    text = (stack.log_folder / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_everything_is_reachable_on_loopback(stack: Stack) -> None:
    assert requests.get(f"{stack.base_url}/", timeout=20).status_code == 200
    assert stack.brokers_url.startswith("http://localhost:")
    assert requests.get(f"{stack.brokers_url}/simulator/requests", timeout=20).status_code == 200
    assert stack.clients.dynamodb.meta.endpoint_url == stack.aws_url


@pytest.mark.parametrize(("broker", "account"), [("pocketful", "YA0002"), ("fivepaisa", "50052770")])
def test_a_login_reaches_the_consumer(stack: Stack, broker: str, account: str) -> None:
    attempt = Browser(stack.base_url).log_in(broker)
    event = stack.received.wait_for(lambda event: event["id"] == attempt)
    assert event["type"] == "brokerlink.token.issued.v1"
    assert event["source"] == "brokerlink/brokerlink"
    assert event["subject"] == f"{broker}/{account}"
    assert any(entry["message"].startswith(f"{broker} {account}: logged in until") for entry in _log(stack, "consumer"))


def test_an_event_published_twice_is_acted_on_once(stack: Stack) -> None:
    attempt = Browser(stack.base_url).log_in("pocketful")
    event = stack.received.wait_for(lambda event: event["id"] == attempt)
    printed = len(_log(stack, "consumer"))
    again = {**event, "extension": "the-same-event-again"}
    stack.clients.sns.publish(
        TopicArn=stack.deployment.outputs["TokenIssuedTopicArn"],
        Message=json.dumps(again),
        MessageAttributes={"type": {"DataType": "String", "StringValue": event["type"]}},
    )
    stack.received.wait_for(lambda event: event == again)
    assert len(_log(stack, "consumer")) == printed


def test_the_token_is_in_no_log_and_in_no_event(stack: Stack) -> None:
    attempt = Browser(stack.base_url).log_in("pocketful")
    event = stack.received.wait_for(lambda event: event["id"] == attempt)
    row = stack.clients.dynamodb.get_item(
        TableName=stack.deployment.outputs["TokensTableName"],
        Key={"user_id": {"S": event["data"]["user_id"]}, "connection": {"S": event["subject"].replace("/", "#")}},
    )["Item"]
    token = stack.clients.kms.decrypt(
        CiphertextBlob=row["ciphertext"]["B"],
        EncryptionContext={
            "purpose": "broker-access-token",
            "broker": event["data"]["broker"],
            "account": event["data"]["account"],
            "user_id": event["data"]["user_id"],
        },
    )["Plaintext"].decode()
    logs = "".join(path.read_text(encoding="utf-8") for path in stack.log_folder.iterdir())
    assert attempt in logs
    assert token not in logs
    assert token not in json.dumps(stack.received.events)


def test_demo_accounts_are_those_of_the_simulators(stack: Stack) -> None:
    assert stack.own_brokers == ()
    assert stack.demo_accounts["pocketful"][0] == "YA0002"
    assert set(stack.demo_accounts) == {"pocketful", "fivepaisa"}


def test_two_stacks_run_side_by_side(stack: Stack, tmp_path: Path) -> None:
    with Stack(brokers_file=tmp_path / "none", logs=tmp_path / "logs", parameters={"AttemptSeconds": "61"}) as other:
        assert other.aws_url != stack.aws_url
        attempt = Browser(other.base_url).log_in("pocketful")
        other.received.wait_for(lambda event: event["id"] == attempt)
        assert attempt not in {event["id"] for event in stack.received.events}
        authorize = other.deployment.functions["AuthorizeFunction"]
        assert authorize.environment["BROKERLINK_ATTEMPT_SECONDS"] == "61"
        # No login passes these: they start with their first event.
        idle = {name for name, pool in other.functions.items() if pool.size == 0}
        assert idle == {"ConnectionsFunction", "RemindFunction"}


def test_a_broker_of_ones_own_is_not_simulated(tmp_path: Path) -> None:
    own = tmp_path / "brokers.local.toml"
    own.write_text('[pocketful]\nclient_id = "mine"\nclient_secret = "c4nary"\n', encoding="utf-8")
    with Stack(brokers_file=own, logs=tmp_path / "logs") as stack:
        start = requests.get(f"{stack.base_url}/authorize/pocketful", allow_redirects=False, timeout=20)
        assert start.headers["Location"].startswith("https://trade.pocketful.in/oauth2/auth?")
        assert stack.own_brokers == ("pocketful",)
        assert set(stack.demo_accounts) == {"fivepaisa"}
        simulated = requests.get(f"{stack.base_url}/authorize/fivepaisa", allow_redirects=False, timeout=20)
        assert simulated.headers["Location"].startswith(stack.brokers_url)


def test_a_function_that_cannot_be_loaded_stops_the_start(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for folder in ("examples", "functions", "layers"):
        shutil.copytree(PROJECT / folder, project / folder)
    shutil.copy(PROJECT / "template.yaml", project)
    (project / "functions" / "announce" / "announce.py").write_text("raise RuntimeError('broken')", encoding="utf-8")
    with pytest.raises(LocalStackError, match=r"^AnnounceFunction cannot be loaded: .*broken"), Stack(project=project):
        pytest.fail("it started")


def test_a_start_that_fails_frees_what_it_had_taken(tmp_path: Path) -> None:
    taken = listen(0, "AWS_PORT")
    free = listen(0, "PORT")
    port = free.getsockname()[1]
    free.close()
    ports = Ports(app=port, brokers=0, aws=taken.getsockname()[1])
    with taken, pytest.raises(PortInUseError, match="AWS_PORT"), Stack(ports, logs=tmp_path / "logs"):
        pytest.fail("it started")
    listen(port, "PORT").close()


def test_a_broken_configuration_stops_the_start(tmp_path: Path) -> None:
    own = tmp_path / "brokers.local.toml"
    own.write_text("[pocketful]\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="client_id"), Stack(brokers_file=own, logs=tmp_path / "logs"):
        pytest.fail("it started")
