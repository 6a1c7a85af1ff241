"""Each fault as a client meets it on its socket, and what the broker's state is afterwards."""

import json
import socket

import httpx
import pytest

from local.simulators import RunningSimulators
from tests.simulators.parties import CALLBACK, DEMO_SECRET, POCKETFUL, FivepaisaApp, PocketfulApp, basic, set_fault
from tests.simulators.walk import http, submit
from tests.simulators.wire import connected, get, post_form, read_to_end

TOKEN_PATH = "/pocketful/oauth2/token"


def send_exchange(connection: socket.socket, port: int, code: str) -> None:
    form = f"grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}"
    authorization = f"Authorization: {basic(POCKETFUL.client_id, DEMO_SECRET)}"
    connection.sendall(post_form(port, TOKEN_PATH, form, authorization))


def is_spent(pocketful: PocketfulApp, code: str) -> bool:
    return pocketful.exchange(code).status_code == 400


@pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 429, 500, 502, 503, 599])
def test_status(simulators: RunningSimulators, pocketful: PocketfulApp, status: int) -> None:
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", f"status:{status}")
    response = pocketful.exchange(code)
    assert response.status_code == status
    assert status == 204 or response.headers["Content-Type"].startswith("text/html")
    assert not is_spent(pocketful, code)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_gateway_says_for_how_long(simulators: RunningSimulators, status: int) -> None:
    simulators.faults.set("fivepaisa", "token", f"status:{status}")
    assert http.post(f"{simulators.fivepaisa_url}/VendorsAPI/Service1.svc/GetAccessToken").headers["Retry-After"]


def test_whoever_follows_a_redirect_comes_twice(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    simulators.faults.set("pocketful", "identity", "status:307")
    http.get(f"{pocketful.url}/api/v1/user/trading_info", follow_redirects=True)
    assert len(simulators.recorder.requests("pocketful", "identity")) == 2


def test_html(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", "html")
    response = pocketful.exchange(code)
    assert response.status_code == 200
    assert response.text.startswith("<!doctype html>")
    assert not is_spent(pocketful, code)


def test_hang(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", "hang")
    with connected(simulators.port, timeout=0.3) as connection:
        send_exchange(connection, simulators.port, code)
        assert simulators.recorder.wait_for(1, "pocketful", "token")
        with pytest.raises(TimeoutError):
            connection.recv(1)
    assert len(simulators.recorder.requests("pocketful", "token")) == 1
    assert not is_spent(pocketful, code)


def test_reset(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", "reset")
    with connected(simulators.port) as connection:
        send_exchange(connection, simulators.port, code)
        with pytest.raises(ConnectionResetError):
            read_to_end(connection)
    assert len(simulators.recorder.requests("pocketful", "token")) == 1
    assert not is_spent(pocketful, code)


def test_reset_after(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", "reset-after")
    with connected(simulators.port) as connection:
        send_exchange(connection, simulators.port, code)
        with pytest.raises(ConnectionResetError):
            read_to_end(connection)
    assert is_spent(pocketful, code)


def test_drip_headers(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", "drip:headers")
    with connected(simulators.port, timeout=3) as connection:
        send_exchange(connection, simulators.port, code)
        assert [connection.recv(100) for _ in range(2)] == [b"H", b"T"]
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(100)
    assert is_spent(pocketful, code)


def test_drip_body(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", "drip:body")
    with connected(simulators.port, timeout=3) as connection:
        send_exchange(connection, simulators.port, code)
        received = b""
        while b'\r\n\r\n{"' not in received:
            received += connection.recv(100)
        head, _, body = received.partition(b"\r\n\r\n")
        assert b" 200 " in head.splitlines()[0]
        assert body == b'{"'
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(100)
    assert is_spent(pocketful, code)


def test_truncated(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", "truncated")
    with connected(simulators.port) as connection:
        send_exchange(connection, simulators.port, code)
        head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    promised = next(int(line.split()[1]) for line in head.splitlines() if line.startswith(b"Content-Length:"))
    assert 0 < len(body) < promised
    assert is_spent(pocketful, code)


def test_truncated_spoils_even_an_answer_without_a_body(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    simulators.faults.set("pocketful", "authorize", "truncated")
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(pocketful.authorization_url(state="short"))


def test_oversized(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    """Only a cap refuses it: it is the right answer, and a good deal of white space."""
    code = pocketful.code()
    simulators.faults.set("pocketful", "token", "oversized")
    response = pocketful.exchange(code)
    assert len(response.content) > 1_000_000
    assert response.json()["token_type"] == "bearer"
    assert is_spent(pocketful, code)


@pytest.mark.parametrize(
    ("broker", "endpoint", "path"),
    [
        ("pocketful", "authorize", "/pocketful/oauth2/auth"),
        ("pocketful", "token", TOKEN_PATH),
        ("pocketful", "identity", "/pocketful/api/v1/user/trading_info"),
        ("fivepaisa", "authorize", "/fivepaisa/WebVendorLogin/VLogin/Index"),
        ("fivepaisa", "token", "/fivepaisa/VendorsAPI/Service1.svc/GetAccessToken"),
    ],
)
def test_every_endpoint_can_fail_and_only_that_one(
    simulators: RunningSimulators, broker: str, endpoint: str, path: str
) -> None:
    assert set_fault(simulators, broker=broker, endpoint=endpoint, fault="status:599").status_code == 200
    statuses = {
        route: http.get(simulators.url + route).status_code
        for route in (
            "/pocketful/oauth2/auth",
            TOKEN_PATH,
            "/pocketful/api/v1/user/trading_info",
            "/fivepaisa/WebVendorLogin/VLogin/Index",
            "/fivepaisa/VendorsAPI/Service1.svc/GetAccessToken",
        )
    }
    assert [route for route, status in statuses.items() if status == 599] == [path]


def test_a_fault_on_the_login_page_leaves_its_form_alone(
    simulators: RunningSimulators, fivepaisa: FivepaisaApp
) -> None:
    page = http.get(fivepaisa.login_url())
    simulators.faults.set("fivepaisa", "authorize", "status:500")
    assert submit(page).status_code == 302
    assert simulators.faults.remaining("fivepaisa", "authorize") == 1


def test_times_counts_down(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    simulators.faults.set("pocketful", "identity", "status:500", times=2)
    statuses = [pocketful.trading_info("x").status_code for _ in range(3)]
    assert statuses == [500, 500, 401]


def test_every_request_is_listed_also_one_that_met_a_fault(simulators: RunningSimulators) -> None:
    for fault in ("reset", "status:500", "html"):
        simulators.faults.set("pocketful", "token", fault)
        with connected(simulators.port) as connection:
            connection.sendall(get(simulators.port, f"{TOKEN_PATH}?fault={fault}"))
            with_answer = fault != "reset"
            if with_answer:
                assert connection.recv(12).startswith(b"HTTP/1.1")
            else:
                with pytest.raises(ConnectionResetError):
                    connection.recv(1)
    listed = json.loads(http.get(f"{simulators.url}/simulator/requests").text)
    assert [entry["query"] for entry in listed] == ["fault=reset", "fault=status:500", "fault=html"]
