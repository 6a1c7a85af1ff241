"""Connections to AWS on real sockets: a try ends on time, however its answer drips, and the SDK makes the next one.

Each test fails where an upgrade of botocore opens its connections in another way than `keep_time` expects.
"""

from __future__ import annotations

import itertools
import socket
from binascii import crc32
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError, SSLError

from brokerlink.aws import AwsClients
from brokerlink.aws_connections import current_try
from brokerlink.storage import StorageError, Table
from brokerlink.whole import NotWhole
from tests.unit.outbound_certificates import make_authority, server_context
from tests.unit.outbound_server import Peer, Script, Server, answer
from tests.unit.test_outbound_deadline import DRIPS

JSON = "Content-Type: application/x-amz-json-1.0"
# A harmless call of each service that a function has a client of.
CALLS: dict[str, Callable[[Any], object]] = {
    "dynamodb": lambda client: client.list_tables(),
    "kms": lambda client: client.list_keys(),
    "secretsmanager": lambda client: client.list_secrets(),
    "sns": lambda client: client.list_topics(),
    "sqs": lambda client: client.list_queues(),
}


class Drips:
    """A server's slow answers, and a clock that goes on with each of their bytes and with nothing else.

    So a drip has all of a try's time quickly, and a busy machine takes none of it.
    """

    def __init__(self) -> None:
        self._bytes = itertools.count()
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def script(self, at_once: bytes, slowly: bytes) -> Script:
        def script(peer: Peer) -> None:
            peer.read_request()
            peer.send(at_once)
            for byte in slowly:
                peer.drip(bytes([byte]), pause=0.01)
                self._now = next(self._bytes) * 0.2

        return script


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let every client go to an address, and spare the tests the SDK's pauses between its tries."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    return lambda url: monkeypatch.setenv("AWS_ENDPOINT_URL", url)


@pytest.mark.parametrize("name", DRIPS)
def test_drip_ends_with_its_try_and_there_are_three(endpoint: Callable[[str], None], name: str) -> None:
    drips = Drips()
    with Server(drips.script(*DRIPS[name])) as server:
        endpoint(server.url())
        with pytest.raises(ReadTimeoutError):
            AwsClients(drips).client("dynamodb").list_tables()
        assert server.connections == 3


@pytest.mark.parametrize("service", CALLS)
def test_every_services_client_keeps_time(endpoint: Callable[[str], None], service: Any) -> None:
    drips = Drips()
    with Server(drips.script(*DRIPS["body"])) as server:
        endpoint(server.url())
        with pytest.raises(ReadTimeoutError):
            CALLS[service](AwsClients(drips).client(service))


def test_drip_that_ends_in_time_is_an_answer(endpoint: Callable[[str], None]) -> None:
    whole = answer(b'{"TableNames": ["a"]}', JSON)
    drips = Drips()
    with Server(drips.script(whole[:-8], whole[-8:])) as server:
        endpoint(server.url())
        assert AwsClients(drips).client("dynamodb").list_tables()["TableNames"] == ["a"]


def test_try_after_a_drip_is_answered(endpoint: Callable[[str], None]) -> None:
    drips = Drips()
    slow, whole = drips.script(*DRIPS["headers"]), drips.script(answer(b'{"TableNames": ["a"]}', JSON), b"")

    def script(peer: Peer) -> None:
        if server.connections == 1:
            slow(peer)
        else:
            whole(peer)

    with Server(script) as server:
        endpoint(server.url())
        assert AwsClients(drips).client("dynamodb").list_tables()["TableNames"] == ["a"]


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        pytest.param(float("inf"), 4.0, id="a try's own time"),
        pytest.param(2.0, 4.0, id="time enough"),
        pytest.param(0.5, 3.5, id="less than that is left"),
        pytest.param(0.0, 3.0, id="the last moment to begin"),
    ],
)
def test_try_never_outlasts_the_invocations_time(last: float, ends: float) -> None:
    clients = AwsClients(lambda: 100.0)
    clients.no_try_after = 100.0 + last
    clients._begin_try()
    assert current_try.get().left() == ends


def test_connection_is_kept_and_used_again(endpoint: Callable[[str], None]) -> None:
    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.send(answer(b"{}", JSON))

    with Server(script) as server:
        endpoint(server.url())
        dynamodb = AwsClients().client("dynamodb")
        dynamodb.list_tables()
        dynamodb.list_tables()
        assert server.connections == 1


def test_drip_through_tls(endpoint: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "trusted")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    drips = Drips()
    context = server_context(tmp_path, authority)
    with Server(drips.script(answer(b"{}", JSON), b""), tls=context) as server:
        endpoint(server.url(scheme="https", host="localhost"))
        AwsClients().client("dynamodb").list_tables()
    with Server(drips.script(*DRIPS["headers"]), tls=context) as server:
        endpoint(server.url(scheme="https", host="localhost"))
        with pytest.raises(ReadTimeoutError):
            AwsClients(drips).client("dynamodb").list_tables()


def test_untrusted_server_is_asked_nothing(endpoint: Callable[[str], None], tmp_path: Path) -> None:
    asked: list[bytes] = []
    authority = make_authority(tmp_path / "unknown")
    with Server(lambda peer: asked.append(peer.read_request()), tls=server_context(tmp_path, authority)) as server:
        endpoint(server.url(scheme="https", host="localhost"))
        with pytest.raises(SSLError):
            AwsClients().client("dynamodb").list_tables()
    assert not any(asked)


def test_nobody_there(endpoint: Callable[[str], None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    endpoint(f"http://127.0.0.1:{port}/")
    with pytest.raises(EndpointConnectionError):
        AwsClients().client("dynamodb").list_tables()


def test_nobody_accepts(endpoint: Callable[[str], None]) -> None:
    with socket.socket() as silent, socket.socket() as filler, socket.socket() as another:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        for each in (filler, another):
            each.settimeout(0)
            each.connect_ex(silent.getsockname())
        endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(ConnectTimeoutError):
            AwsClients().client("dynamodb").list_tables()


# An answer that the SDK takes for whole: it reads until the connection ends, whatever length was told.
ROW = b'{"Item": {"attempt_id": {"S": "a"}, "status": {"S": "PENDING"}}}'
TORN = {
    "nothing": ROW[:0],
    "half": ROW[:30],
    "all but its last byte": ROW[:-1],
}


@pytest.mark.parametrize("body", TORN.values(), ids=TORN)
def test_answer_that_is_not_whole_is_none(endpoint: Callable[[str], None], body: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer(body, JSON, length=len(ROW)))

    with Server(script) as server:
        endpoint(server.url())
        with pytest.raises(StorageError, match="GetItem: NotWhole"):
            Table(AwsClients().client("dynamodb"), "LoginAttempts").get({"attempt_id": "a"})


@pytest.mark.parametrize("service", CALLS)
def test_every_services_answers_have_to_be_whole(endpoint: Callable[[str], None], service: Any) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(
            answer(
                b"<ListTopicsResponse><ListTopicsResult/></ListTopicsResponse>" if service == "sns" else b"{}",
                JSON,
                length=80,
            )
        )

    with Server(script) as server:
        endpoint(server.url())
        with pytest.raises(NotWhole):
            CALLS[service](AwsClients().client(service))


@pytest.mark.parametrize(("checksum", "whole"), [(crc32(ROW), True), (crc32(ROW) + 1, False)])
def test_dynamodbs_checksum_decides(endpoint: Callable[[str], None], checksum: int, *, whole: bool) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        # The connection ends here: a client that took it for kept alive could meet its end with the next request.
        peer.send(answer(ROW, JSON, f"x-amz-crc32: {checksum}", "Connection: close"))

    with Server(script) as server:
        endpoint(server.url())
        table = Table(AwsClients().client("dynamodb"), "LoginAttempts")
        if whole:
            assert table.get({"attempt_id": "a"}) == {"attempt_id": "a", "status": "PENDING"}
        else:
            with pytest.raises(StorageError, match="GetItem: NotWhole"):
                table.get({"attempt_id": "a"})
        assert server.connections == (1 if whole else 3)
