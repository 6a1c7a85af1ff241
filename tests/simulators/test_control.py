"""The control endpoints: what they accept, what they list, and that no web page can use them."""

from typing import Any

import pytest

from local.simulators import RunningSimulators
from tests.simulators.parties import FivepaisaApp, PocketfulApp, set_fault
from tests.simulators.walk import http, log_in
from tests.simulators.wire import request_line


def test_a_fault_is_set_once_unless_told_otherwise(simulators: RunningSimulators) -> None:
    response = set_fault(simulators, broker="pocketful", endpoint="token", fault="hang")
    assert response.status_code == 200
    assert response.json() == {"broker": "pocketful", "endpoint": "token", "fault": "hang", "times": 1}
    assert simulators.faults.remaining("pocketful", "token") == 1


def test_a_new_fault_replaces_the_one_before(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    set_fault(simulators, broker="pocketful", endpoint="identity", fault="status:500", times=9)
    set_fault(simulators, broker="pocketful", endpoint="identity", fault="status:404")
    assert [pocketful.trading_info("x").status_code for _ in range(2)] == [404, 401]


@pytest.mark.parametrize("named", [{}, {"fault": "hang"}, {"fault": "status:500"}])
def test_zero_times_clears(simulators: RunningSimulators, pocketful: PocketfulApp, named: dict[str, str]) -> None:
    set_fault(simulators, broker="pocketful", endpoint="identity", fault="status:500", times=9)
    cleared = set_fault(simulators, broker="pocketful", endpoint="identity", times=0, **named)
    assert cleared.status_code == 200
    assert pocketful.trading_info("x").status_code == 401


RIGHT: dict[str, object] = {"broker": "pocketful", "endpoint": "token", "fault": "hang"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"broker": "zerodha"},
        {"broker": None},
        {"endpoint": "login"},
        {"endpoint": "Token"},
        {"endpoint": 1},
        {"broker": "fivepaisa", "endpoint": "identity"},
        {"fault": "explode"},
        {"fault": "explode", "times": 0},
        {"fault": ""},
        {"fault": None},
        {"fault": ["hang"]},
        {"fault": "status"},
        {"fault": "status:"},
        {"fault": "status:abc"},
        {"fault": "status:99"},
        {"fault": "status:199"},
        {"fault": "status:600"},
        {"fault": "status:\u0665\u0660\u0660"},
        {"fault": "status:-500"},
        {"fault": "drip"},
        {"fault": "HANG"},
        {"times": -1},
        {"times": 1.5},
        {"times": "1"},
        {"times": True},
        {"times": None},
        {"time": 3},
    ],
)
def test_an_unknown_name_is_a_400_with_a_sentence(simulators: RunningSimulators, wrong: dict[str, object]) -> None:
    response = set_fault(simulators, **{**RIGHT, **wrong})
    assert response.status_code == 400
    sentence = response.json()["error"]
    assert sentence[0].isalpha()
    assert sentence.endswith(".")
    assert simulators.faults.remaining("pocketful", "token") == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"hang"', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_json_object_is_a_400(simulators: RunningSimulators, body: bytes) -> None:
    assert http.post(f"{simulators.url}/simulator/faults", content=body).status_code == 400


def test_what_was_received_is_listed_in_order(
    simulators: RunningSimulators, pocketful: PocketfulApp, fivepaisa: FivepaisaApp
) -> None:
    log_in(pocketful.authorization_url(state="a-state-of-this-test"))
    fivepaisa.post({"head": {"Key": "₹"}})
    listed: list[dict[str, Any]] = http.get(f"{simulators.url}/simulator/requests").json()
    assert [(entry["broker"], entry["endpoint"], entry["method"]) for entry in listed] == [
        ("pocketful", "authorize", "GET"),
        ("pocketful", "login", "POST"),
        ("fivepaisa", "token", "POST"),
    ]
    assert {tuple(entry) for entry in listed} == {
        ("body", "broker", "endpoint", "headers", "method", "query"),
    }
    assert "state=a-state-of-this-test" in listed[0]["query"]
    assert listed[0]["body"] == ""
    assert "account=YA0002" in listed[1]["body"]
    assert listed[2]["headers"]["Content-Type"] == "application/json"
    assert "₹" in listed[2]["body"]


def test_the_list_is_shown_as_it_came(simulators: RunningSimulators) -> None:
    request_line(simulators.port, "/pocketful/oauth2/auth?state=%41+%zz&state=2")
    assert simulators.recorder.requests()[0].query == "state=%41+%zz&state=2"


def test_control_requests_are_not_listed(simulators: RunningSimulators) -> None:
    set_fault(simulators, **RIGHT)
    assert http.get(f"{simulators.url}/simulator/requests").json() == []


def test_one_can_wait_for_a_request(simulators: RunningSimulators, pocketful: PocketfulApp) -> None:
    assert not simulators.recorder.wait_for(1, "pocketful", "identity", seconds=0)
    pocketful.trading_info("x")
    assert simulators.recorder.wait_for(1, "pocketful", "identity")


@pytest.mark.parametrize("header", ["Origin", "origin", "Sec-Fetch-Site"])
@pytest.mark.parametrize("value", ["null", "none", "same-origin", "http://127.0.0.1:8000", ""])
@pytest.mark.parametrize(("method", "path"), [("POST", "faults"), ("GET", "requests"), ("OPTIONS", "faults")])
def test_a_web_page_is_refused(simulators: RunningSimulators, header: str, value: str, method: str, path: str) -> None:
    response = request_line(simulators.port, f"/simulator/{path}", method, {header: value})
    assert response.status == 403


@pytest.mark.parametrize("path", ["/%73imulator/requests", "/simulator/%72equests", "//simulator/requests"])
def test_no_spelling_gets_around_the_refusal(simulators: RunningSimulators, path: str) -> None:
    response = request_line(simulators.port, path, headers={"Origin": "null"})
    assert response.status in {403, 404}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "faults", 405),
        ("DELETE", "faults", 405),
        ("POST", "requests", 405),
        ("GET", "", 404),
        ("GET", "secrets", 404),
    ],
)
def test_nothing_else_is_offered(simulators: RunningSimulators, method: str, path: str, status: int) -> None:
    assert http.request(method, f"{simulators.url}/simulator/{path}").status_code == status
