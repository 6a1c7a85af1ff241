import contextlib
import http.client
import json
import queue
from collections.abc import Iterator

import pytest

from local.runtime_api import FunctionError, Invocation, RuntimeApi

BASE = "/2018-06-01/runtime"
ARN = "arn:aws:lambda:ap-south-1:123456789012:function:demo"
NOW = 1_783_711_145.5


class Recorder:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: queue.Queue[tuple[object, ...]] = queue.Queue()

    def initialised(self) -> None:
        self.told.put(("initialised",))

    def init_failed(self, error: FunctionError) -> None:
        self.told.put(("init_failed", error.error_type, error.message))

    def taken(self, invocation: Invocation) -> None:
        self.told.put(("taken", invocation.request_id))

    def responded(self, invocation: Invocation, response: bytes) -> None:
        self.told.put(("responded", invocation.request_id, response))

    def failed(self, invocation: Invocation, error: FunctionError) -> None:
        self.told.put(("failed", invocation.request_id, error.error_type, error.message))


class Runtime:
    """A runtime that speaks to the API by hand."""

    def __init__(self) -> None:
        self.observer = Recorder()
        self.api = RuntimeApi(ARN, 28.0, self.observer, now=lambda: NOW)
        self.connection = http.client.HTTPConnection(self.api.address, timeout=20)

    def call(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, BASE + path, body.encode(), named)
        answer = self.connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def told(self) -> tuple[object, ...]:
        return self.observer.told.get(timeout=20)

    def close(self) -> None:
        self.connection.close()
        self.api.close()


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with contextlib.closing(Runtime()) as runtime:
        yield runtime


def test_an_event_is_fetched_with_its_headers_and_answered(runtime: Runtime) -> None:
    runtime.api.offer(Invocation("id-1", b'{"a": 1}'))
    status, headers, body = runtime.call("GET", "/invocation/next")
    assert (status, body) == (200, b'{"a": 1}')
    assert headers["content-type"] == "application/json"
    assert headers["lambda-runtime-aws-request-id"] == "id-1"
    assert headers["lambda-runtime-deadline-ms"] == "1783711173500"
    assert headers["lambda-runtime-invoked-function-arn"] == ARN
    assert headers["lambda-runtime-trace-id"].startswith("Root=1-6a5145a9-")
    status, _, body = runtime.call("POST", "/invocation/id-1/response", '{"b": 2}')
    assert (status, json.loads(body)) == (202, {"status": "OK"})
    assert [runtime.told() for _ in range(3)] == [
        ("initialised",),
        ("taken", "id-1"),
        ("responded", "id-1", b'{"b": 2}'),
    ]


def test_an_error_is_reported_by_body_or_by_header(runtime: Runtime) -> None:
    for request_id, body in (("id-1", '{"errorType": "KeyError", "errorMessage": "\'a\'"}'), ("id-2", "no json")):
        runtime.api.offer(Invocation(request_id, b"{}"))
        runtime.call("GET", "/invocation/next")
        status, _, _ = runtime.call(
            "POST", f"/invocation/{request_id}/error", body, Lambda_Runtime_Function_Error_Type="FromHeader"
        )
        assert status == 202
    told = [runtime.told() for _ in range(5)]
    assert told[0] == ("initialised",)
    assert told[2] == ("failed", "id-1", "KeyError", "'a'")
    assert told[4] == ("failed", "id-2", "FromHeader", "")


def test_an_init_error_is_reported(runtime: Runtime) -> None:
    status, _, body = runtime.call(
        "POST", "/init/error", '{"errorType": "Runtime.ImportModuleError", "errorMessage": "no", "stackTrace": []}'
    )
    assert (status, json.loads(body)) == (202, {"status": "OK"})
    assert runtime.told() == ("init_failed", "Runtime.ImportModuleError", "no")


@pytest.mark.parametrize("result", ["response", "error"])
def test_an_answer_to_another_invocation_is_refused(runtime: Runtime, result: str) -> None:
    assert runtime.call("POST", f"/invocation/id-1/{result}", "{}")[0] == 400
    runtime.api.offer(Invocation("id-1", b"{}"))
    runtime.call("GET", "/invocation/next")
    status, _, body = runtime.call("POST", f"/invocation/id-2/{result}", "{}")
    assert (status, json.loads(body)["errorType"]) == (400, "InvalidRequestID")
    assert runtime.call("POST", f"/invocation/id-1/{result}", "{}")[0] == 202
    assert runtime.call("POST", f"/invocation/id-1/{result}", "{}")[0] == 400


def test_asking_for_an_event_before_the_answer_is_refused(runtime: Runtime) -> None:
    runtime.api.offer(Invocation("id-1", b"{}"))
    runtime.call("GET", "/invocation/next")
    status, _, body = runtime.call("GET", "/invocation/next")
    assert (status, json.loads(body)["errorType"]) == (403, "InvalidStateTransition")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/invocation/next", 405),
        ("GET", "/invocation/id-1/response", 405),
        ("GET", "/init/error", 405),
        ("GET", "/invocation", 404),
        ("GET", "/restore/next", 404),
        ("POST", "/invocation/id-1/response/x", 404),
    ],
)
def test_what_the_api_does_not_have_is_refused(runtime: Runtime, method: str, path: str, status: int) -> None:
    assert runtime.call(method, path)[0] == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "none"},
        {"Host": "evil.example"},
        {"Host": "localhost:1"},
    ],
)
def test_a_web_page_gets_no_event(runtime: Runtime, headers: dict[str, str]) -> None:
    invocation = Invocation("id-1", b'{"secret": true}')
    runtime.api.offer(invocation)
    status, _, body = runtime.call("GET", "/invocation/next", **headers)
    assert status == 403
    assert b"secret" not in body
    assert runtime.observer.told.empty()


def test_an_error_cause_of_a_megabyte_fits_into_a_header(runtime: Runtime) -> None:
    runtime.api.offer(Invocation("id-1", b"{}"))
    runtime.call("GET", "/invocation/next")
    status, _, _ = runtime.call(
        "POST", "/invocation/id-1/error", "{}", Lambda_Runtime_Function_XRay_Error_Cause="x" * 1_000_000
    )
    assert status == 202


def test_close_hangs_up_on_a_waiting_runtime(runtime: Runtime) -> None:
    runtime.connection.request("GET", f"{BASE}/invocation/next")
    assert runtime.told() == ("initialised",)
    runtime.api.close()
    with pytest.raises(http.client.RemoteDisconnected):
        runtime.connection.getresponse()
