"""The server: who may reach it, how connections live, and that nothing is left of it."""

import http.client
import logging
import socket
import threading

import pytest

from local.errors import PortInUseError
from local.simulators import RunningSimulators, SimulatorClients, serve
from tests.simulators.parties import CLIENTS, PocketfulApp, TurnedClock
from tests.simulators.walk import http as client
from tests.simulators.wire import connected, get, read_to_end, request_line

IDENTITY = "/pocketful/api/v1/user/trading_info"


def test_it_listens_on_loopback_only(simulators: RunningSimulators) -> None:
    assert simulators.url == f"http://localhost:{simulators.port}"
    with socket.socket() as elsewhere:
        # The port is still free on another loopback address, so it was not bound for all.
        elsewhere.bind(("127.0.0.2", simulators.port))


@pytest.mark.parametrize(("path", "sets"), [(IDENTITY, True), ("/pocketful/oauth2/auth", False)])
def test_each_answer_for_programs_sets_a_cookie_of_its_own(
    simulators: RunningSimulators, path: str, *, sets: bool
) -> None:
    cookies = [request_line(simulators.port, path).getheader("Set-Cookie") for _ in range(2)]
    assert (None not in cookies) is sets
    assert (len({*cookies}) == 2) is sets


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
@pytest.mark.parametrize("path", ["/pocketful/oauth2/token", "/simulator/requests"])
def test_its_own_hosts_are_answered(simulators: RunningSimulators, host: str, path: str) -> None:
    response = request_line(simulators.port, path, headers={"Host": host.format(port=simulators.port)})
    assert response.status != 403


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:{port}",
        "rebound.example",
        "localhost",
        "127.0.0.1",
        "localhost:80",
        "localhost.:{port}",
        "localhost:{port}.evil.example",
        "user@localhost:{port}",
        "[::1]:{port}",
        "127.0.0.2:{port}",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/pocketful/oauth2/auth", "/simulator/requests", "/nowhere"])
def test_another_host_is_refused_and_not_listed(simulators: RunningSimulators, host: str, path: str) -> None:
    response = request_line(simulators.port, path, headers={"Host": host.format(port=simulators.port)})
    assert response.status == 403
    assert simulators.recorder.requests() == []


def test_no_host_or_two_are_refused(simulators: RunningSimulators) -> None:
    port = simulators.port
    for lines in ("", f"Host: localhost:{port}\r\nHost: localhost:{port}\r\n"):
        with connected(port) as connection:
            connection.sendall(f"GET {IDENTITY} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
            assert read_to_end(connection).startswith(b"HTTP/1.1 403 ")


def test_a_foreign_absolute_target_is_refused(simulators: RunningSimulators) -> None:
    assert request_line(simulators.port, f"http://rebound.example{IDENTITY}").status == 403


def test_a_connection_carries_several_requests(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    token = pocketful.exchange(pocketful.code()).json()["access_token"]
    connection = http.client.HTTPConnection("127.0.0.1", simulators.port, timeout=10)
    headers = {"Host": f"localhost:{simulators.port}", "Authorization": f"Bearer {token}"}
    connection.request("POST", "/pocketful/oauth2/token", body=b"grant_type=x", headers=headers)
    first = connection.getresponse()
    first.read()
    local_address = connection.sock.getsockname()
    connection.request("GET", IDENTITY, headers=headers)
    second = connection.getresponse()
    assert (first.status, second.status) == (400, 200)
    assert b"success" in second.read()
    assert connection.sock.getsockname() == local_address
    connection.close()


def test_pipelined_requests_are_answered_in_order(simulators: RunningSimulators) -> None:
    port = simulators.port
    with connected(port) as connection:
        last = get(port, "/nowhere").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        connection.sendall(get(port, IDENTITY) + last)
        received = read_to_end(connection)
    assert received.index(b"HTTP/1.1 401 ") < received.index(b"HTTP/1.1 404 ")


def test_head_has_the_headers_and_no_body(simulators: RunningSimulators) -> None:
    with connected(simulators.port) as connection:
        request = get(simulators.port, "/nowhere").replace(b"GET", b"HEAD").replace(b"1.1", b"1.0")
        connection.sendall(request)
        head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    assert body == b""
    assert b"Content-Length: 0" not in head


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "5, 5", "99999999"])
def test_an_odd_or_huge_length_closes_the_connection(simulators: RunningSimulators, length: str) -> None:
    with connected(simulators.port) as connection:
        connection.sendall(
            f"POST /pocketful/oauth2/token HTTP/1.1\r\nHost: localhost:{simulators.port}\r\n"
            f"Content-Length: {length}\r\n\r\n".encode()
        )
        assert read_to_end(connection).split()[1] in {b"400", b"413"}
    assert simulators.recorder.requests() == []


def test_a_chunked_body_is_read(simulators: RunningSimulators) -> None:
    with connected(simulators.port) as connection:
        connection.sendall(
            f"POST /pocketful/oauth2/token HTTP/1.1\r\nHost: localhost:{simulators.port}\r\nConnection: close\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode()
        )
        assert read_to_end(connection).startswith(b"HTTP/1.1 400 ")
    assert simulators.recorder.requests()[0].body == "hello"


@pytest.mark.parametrize("rest", [b"Content-Length: 50\r\n\r\nshort", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_a_body_that_ends_early_is_dropped(
    simulators: RunningSimulators, rest: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with connected(simulators.port) as connection:
        host = f"Host: localhost:{simulators.port}\r\n".encode()
        connection.sendall(b"POST /pocketful/oauth2/token HTTP/1.1\r\n" + host + rest)
        connection.shutdown(socket.SHUT_WR)
        read_to_end(connection)
    assert simulators.recorder.requests() == []
    assert client.get(simulators.url + IDENTITY).status_code == 401
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/9.9", "HTTP/x"])
def test_requests_leave_no_trace_in_terminal_or_log(
    simulators: RunningSimulators,
    version: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="werkzeug")
    with connected(simulators.port) as connection:
        connection.sendall(f"GET /pocketful/oauth2/auth?state=secret {version}\r\nConnection: close\r\n\r\n".encode())
        assert read_to_end(connection)
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.name == "werkzeug"] == []


def test_closing_ends_hanging_dripping_and_idle_connections(clock: TurnedClock) -> None:
    before = set(threading.enumerate())
    running = serve(0, clients=CLIENTS, clock=clock)
    with connected(running.port) as hanging, connected(running.port) as dripping, connected(running.port) as idle:
        running.faults.set("pocketful", "identity", "hang")
        hanging.sendall(get(running.port, IDENTITY))
        assert running.recorder.wait_for(1)
        running.faults.set("pocketful", "identity", "drip:headers")
        dripping.sendall(get(running.port, IDENTITY))
        assert dripping.recv(1) == b"H"
        running.close()
        assert read_to_end(hanging) == b""
        assert read_to_end(idle) == b""
        assert b"\r\n\r\n" not in read_to_end(dripping), "it was waited for"
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError), connected(running.port):
        pass
    running.close()


def test_a_port_in_use_is_told_in_a_sentence(simulators: RunningSimulators, clock: TurnedClock) -> None:
    with pytest.raises(PortInUseError, match="BROKERS_PORT"):
        serve(simulators.port, clients=SimulatorClients(), clock=clock)


def test_a_port_can_be_served_again_at_once(clock: TurnedClock) -> None:
    first = serve(0, clients=CLIENTS, clock=clock)
    client.get(first.url + IDENTITY)
    first.close()
    with serve(first.port, clients=CLIENTS, clock=clock) as second:
        assert client.get(second.url + IDENTITY).status_code == 401


def test_a_start_knows_nothing_of_the_one_before(clock: TurnedClock) -> None:
    with serve(0, clients=CLIENTS, clock=clock) as first:
        code = PocketfulApp(first.pocketful_url).code()
    with serve(0, clients=CLIENTS, clock=clock) as second:
        assert PocketfulApp(second.pocketful_url).exchange(code).status_code == 400
        assert len(second.recorder.requests()) == 1
