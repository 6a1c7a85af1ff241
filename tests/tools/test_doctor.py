"""What `make doctor` finds: settings, secrets, clocks, TLS and servers that do not answer."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import override

import boto3
import pytest
from moto import mock_aws

from brokerlink.brokers import make_broker
from brokerlink.settings import web_settings
from tests.unit.outbound_certificates import server_context
from tools.deploy import environment_of
from tools.doctor import network, settings
from tools.doctor.findings import Finding, State
from tools.stages import Stage

STAGE = Stage("trial", "brokerlink-trial", "ap-south-1", {})
SECRET = "hush-hush-1"
GOOD = {"BrokerApps": '{"pocketful": {"client_id": "x"}}', "DirectLoginAccounts": "YA0002", "AlarmTopicArn": "arn"}


def states(findings: Iterator[Finding]) -> list[State]:
    return [finding.state for finding in findings]


def of_parameters(**changes: str) -> list[Finding]:
    given = GOOD | changes
    return list(settings.parameters(STAGE, web_settings(environment_of(given)), given))


def test_good_parameters_are_good() -> None:
    assert [str(finding) for finding in of_parameters()] == ["ok    pocketful's app settings are well-formed"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"BrokerApps": "{}"}, "FAIL  no broker is set up: `make configure BROKER=pocketful STAGE=trial`"),
        ({"BrokerApps": "nonsense"}, "FAIL  BrokerApps is not JSON"),
        ({"BrokerApps": '{"pocketful": {}}'}, "FAIL  pocketful is off: BrokerApps.pocketful.client_id is missing"),
        ({"ReturnTo": "ftp://a.example"}, "FAIL  ReturnTo has to be an https URL"),
        ({"AttemptSeconds": "5"}, "FAIL  AttemptSeconds has to be"),
        ({"DirectLoginAccounts": ""}, "note  DirectLoginAccounts and ReturnTo are empty"),
        ({"DirectLoginAccounts": "*"}, "note  DirectLoginAccounts is *"),
        ({"AlarmTopicArn": ""}, "note  AlarmTopicArn is empty"),
    ],
)
def test_each_bad_parameter_is_told_with_what_to_do(changes: dict[str, str], said: str) -> None:
    lines = [str(finding) for finding in of_parameters(**changes)]
    (line,) = [line for line in lines if line.startswith(said)]
    assert ": " in line.removeprefix(said) or ": " in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ({"pocketful": {"client_secret": SECRET}}, [State.OK]),
        ({}, [State.FAIL]),
        ({"pocketful": {"client_secret": ""}}, [State.FAIL]),
        ({"pocketful": {"client_secret": f"{SECRET}\n"}}, [State.FAIL]),
        ({"pocketful": {"client_secret": 5}}, [State.FAIL]),
        ({"pocketful": {"client_secret": SECRET}, "acme": {"client_secret": SECRET}}, [State.OK, State.NOTE]),
        ([SECRET], [State.FAIL]),
    ],
)
def test_secrets_are_checked_and_never_shown(text: object, expected: list[State]) -> None:
    with mock_aws():
        client = boto3.client("secretsmanager")
        arn = client.create_secret(Name="brokers", SecretString=json.dumps(text))["ARN"]
        brokers = {"pocketful": make_broker("pocketful", {"client_id": "x"})}
        found = list(settings.secrets(STAGE, client, arn, brokers))
    assert [finding.state for finding in found] == expected
    assert SECRET not in "".join(map(str, found))


def test_servers_of_each_kind_of_broker_are_known() -> None:
    assert network.origins(make_broker("pocketful", {"client_id": "x"})) == ["https://trade.pocketful.in"]
    assert network.origins(make_broker("fivepaisa", {"vendor_key": "x"})) == [
        "https://Openapi.5paisa.com",
        "https://dev-openapi.5paisa.com",
    ]
    acme = make_broker(
        "acme",
        {
            "protocol": "oauth2",
            "client_id": "x",
            "authorization_endpoint": "https://login.acme.example/a",
            "token_endpoint": "https://api.acme.example/t",
            "account": {"from": "get", "url": "https://me.acme.example/", "path": "id"},
        },
    )
    assert len(network.origins(acme)) == 3


@pytest.mark.parametrize(("behind", "state"), [(0, State.OK), (4, State.OK), (30, State.NOTE), (-30, State.NOTE)])
def test_clocks_are_compared(behind: int, state: State) -> None:
    now = 1_795_404_600
    assert states(network.skew("it", formatdate(now - behind, usegmt=True), now)) == [state]


def test_date_that_is_none_says_nothing() -> None:
    assert not list(network.skew("it", "yesterday", 0))


class _Page(http.server.BaseHTTPRequestHandler):
    status = 404

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Page) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def test_any_http_answer_says_that_a_server_is_there(server: http.server.HTTPServer) -> None:
    url = f"http://127.0.0.1:{server.server_port}/"
    assert states(network.reach("it", url)) == [State.OK, State.OK]


def test_server_that_is_not_there_fails(server: http.server.HTTPServer) -> None:
    server.server_close()
    (found,) = network.reach("it", f"http://127.0.0.1:{server.server_port}/")
    assert found.state is State.FAIL
    assert "does not answer" in found.what


def test_certificate_of_an_unknown_authority_fails(server: http.server.HTTPServer, tmp_path: Path) -> None:
    server.socket = server_context(tmp_path, None).wrap_socket(server.socket, server_side=True)
    found = list(network.reach("it", f"https://127.0.0.1:{server.server_port}/"))
    assert {finding.state for finding in found} == {State.FAIL}
    assert "TLS to 127.0.0.1 fails" in found[0].what
