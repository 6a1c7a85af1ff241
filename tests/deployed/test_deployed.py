"""Deploy, configure, doctor; log in; change, announce again, destroy: each test goes on where the last one ended."""

from __future__ import annotations

import json
import shlex
import time
from typing import Any

import pytest

from brokerlink.reader import TokenNotFound
from tests.deployed.conftest import Operator
from tests.deployed.lambda_api import STACK
from tests.integration.walker import Walker, attempt_of
from tests.kit.documents import block

OPERATING = "docs/operating.md"
ACCOUNTS = {"pocketful": "YA0002", "fivepaisa": "50052770"}


@pytest.fixture(scope="module")
def watched(operator: Operator) -> str:
    """A queue at the topic, by its URL."""
    queue = operator.clients.sqs.create_queue(QueueName="watched")["QueueUrl"]
    arn = operator.clients.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    operator.clients.sns.subscribe(
        TopicArn=operator.outputs["TokenIssuedTopicArn"],
        Protocol="sqs",
        Endpoint=arn["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    return queue


def event_of(operator: Operator, queue: str, attempt: str) -> dict[str, Any]:
    """Wait for an attempt's event."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = operator.clients.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        for message in found.get("Messages", []):
            operator.clients.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            event: dict[str, Any] = json.loads(message["Body"])
            if event["id"] == attempt:
                return event
    raise AssertionError("no event came")


def test_deploy_says_what_comes_next(operator: Operator) -> None:
    (fivepaisa,), server = operator.registered.fivepaisa, operator.simulators.fivepaisa_url
    app = {"vendor_key": fivepaisa.vendor_key, "login_base": server, "api_base": server}
    words = {
        "PublicBaseUrl": operator.base_url,
        "DirectLoginAccounts": "*",
        "BrokerApps": json.dumps({"fivepaisa": app}),
    }
    parameters = shlex.join(f"{name}={value}" for name, value in words.items())
    done = operator.make("deploy", YES="1", PARAMETERS=parameters)
    assert done.returncode == 0, done.shown
    assert "Next: `make doctor` checks fivepaisa." in done.shown
    assert operator.outputs["CallbackUrl"] == f"{operator.base_url}/callback/{{broker}}"


def test_doctor_says_what_is_missing(operator: Operator) -> None:
    done = operator.make("doctor")
    assert done.returncode != 0
    assert "secret encryption_key, user_id is missing or malformed: `make configure BROKER=fivepaisa`" in done.shown


def test_configure_hides_the_secret_and_deploys(operator: Operator) -> None:
    (pocketful,), server = operator.registered.pocketful, operator.simulators.pocketful_url
    done = operator.make(
        "configure",
        [
            ("pocketful client_id: ", pocketful.client_id),
            ("client_secret, not shown", pocketful.client_secret),
            ("Deploy this changeset? [y/N]: ", "y"),
        ],
        BROKER="pocketful",
        SET=json.dumps({"auth_base": server, "api_base": server}),
    )
    assert done.returncode == 0, done.shown
    assert pocketful.client_secret not in done.shown
    assert "Next: `make doctor`" in done.shown


def test_configure_asks_for_nothing_that_is_there_and_deploys_nothing_that_is_the_same(operator: Operator) -> None:
    (fivepaisa,) = operator.registered.fivepaisa
    done = operator.make(
        "configure",
        [
            (f"fivepaisa vendor_key [{fivepaisa.vendor_key}]: ", ""),
            ("login_base [", ""),
            ("api_base [", ""),
            ("encryption_key, not shown", fivepaisa.encryption_key),
            ("user_id, not shown", fivepaisa.user_id),
        ],
        BROKER="fivepaisa",
    )
    assert done.returncode == 0, done.shown
    assert fivepaisa.encryption_key not in done.shown
    assert "deployed" not in done.shown


def test_doctor_finds_all_well_and_prints_the_callback_urls(operator: Operator) -> None:
    done = operator.make("doctor")
    assert done.returncode == 0, done.shown
    for broker in ACCOUNTS:
        assert f"{operator.base_url}/callback/{broker}" in done.shown
    assert "FAIL" not in done.shown
    assert "Ready: a login starts at" in done.shown


@pytest.mark.parametrize("broker", list(ACCOUNTS))
def test_login_goes_from_the_deployed_page_to_a_token(operator: Operator, watched: str, broker: str) -> None:
    walker = Walker(operator)
    assert broker in walker.get("/").text
    reply = walker.log_in(broker)
    assert walker.result(reply)["status"] == "connected", reply.headers
    event = event_of(operator, watched, attempt_of(reply))
    assert event["subject"] == f"{broker}/{ACCOUNTS[broker]}"
    assert operator.reader.get(event).access_token
    assert event["id"] in {token.attempt_id for token in operator.reader.of_broker(broker)}


def test_logs_are_shown(operator: Operator) -> None:
    done = operator.make("logs", SINCE="1hour")
    assert done.returncode == 0, done.shown
    assert '"message": "connected"' in done.shown


def test_a_leaked_token_is_revoked(operator: Operator) -> None:
    operator.shell(block(OPERATING, "revoke"))
    with pytest.raises(TokenNotFound):
        operator.reader.get(user_id="pocketful:YA0002", broker="pocketful", account="YA0002")


def test_reannounce_sends_the_events_again(operator: Operator) -> None:
    done = operator.make("reannounce", SINCE=str(int(time.time()) - 3600))
    assert done.returncode == 0, done.shown
    assert "announced again: 1 live token(s)" in done.shown


def test_dead_letters_are_emptied(operator: Operator) -> None:
    queue = operator.outputs["AnnounceDeadLettersUrl"]
    operator.clients.sqs.send_message(QueueUrl=queue, MessageBody="{}")
    operator.shell(block(OPERATING, "empty dead letters"))
    assert not operator.clients.sqs.receive_message(QueueUrl=queue).get("Messages")


def test_logins_are_stopped_and_taken_again(operator: Operator) -> None:
    stop, go_on = block(OPERATING, "stop logins"), block(OPERATING, "take logins again")
    operator.shell(stop)
    assert operator.concurrency("AuthorizeFunction") == 0
    assert operator.concurrency("CallbackFunction") is None
    operator.shell(stop + go_on)
    assert operator.concurrency("AuthorizeFunction") is None


def test_the_version_before_is_put_back(operator: Operator) -> None:
    assert "pocketful" in Walker(operator).get("/").text
    operator.shell(block(OPERATING, "version before"))
    page = Walker(operator).get("/").text
    assert "fivepaisa" in page
    assert "pocketful" not in page


def test_the_next_deployment_goes_forward_again(operator: Operator) -> None:
    done = operator.make("deploy", YES="1", PARAMETERS="AttemptSeconds=900")
    assert done.returncode == 0, done.shown
    assert "pocketful" in Walker(operator).get("/").text


def test_destroy_asks_and_removes_it_all(operator: Operator) -> None:
    prompt = f"Type {STACK} to remove it: "
    done = operator.make("destroy", [(prompt, "no")])
    assert done.returncode != 0
    assert "Nothing was removed." in done.shown
    done = operator.make("destroy", [(prompt, STACK)])
    assert done.returncode == 0, done.shown
    assert "deletion protection of" in done.shown
    assert not operator.clients.dynamodb.list_tables()["TableNames"]
