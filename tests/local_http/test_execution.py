import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from local.execution import ExecutionEnvironment, Function, NotDeliveredError
from local.runtime_api import FunctionError

# A runtime that answers its first event and never asks for another.
ONCE = """
    import http.client, os, sys
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", event.read())
    api.getresponse().read()
    sys.stdin.read()
"""


class Environment:
    """An environment, and what it calls back."""

    def __init__(self, function: Function) -> None:
        self.released, self.gone = threading.Semaphore(0), threading.Event()
        self.lines: list[str] = []
        self.environment = ExecutionEnvironment(
            function,
            log=self.lines.append,
            released=lambda _: self.released.release(),
            gone=lambda _: self.gone.set(),
        )


@pytest.fixture
def launch(function: Callable[..., Function]) -> Iterator[Callable[..., Environment]]:
    launched = []

    def begin(source: str, **changes: object) -> Environment:
        environment = Environment(function(source, **changes))
        launched.append(environment)
        return environment

    yield begin
    for environment in launched:
        environment.environment.kill()
        environment.environment.join(20)


def test_an_event_that_the_process_never_took_may_run_elsewhere(launch: Callable[..., Environment]) -> None:
    running = launch(ONCE, command=(sys.executable, "app.py"))
    assert running.environment.run(b'"first"').result(20) == b'"first"'
    assert running.released.acquire(timeout=20)
    second = running.environment.run(b'"second"')
    running.environment.kill()
    with pytest.raises(NotDeliveredError):
        second.result(20)
    assert running.gone.wait(20)
    running.environment.join(20)
    with pytest.raises(NotDeliveredError):
        running.environment.run(b'"third"').result(20)


def test_an_event_that_the_process_took_is_not_run_again(launch: Callable[..., Environment]) -> None:
    running = launch("def handler(event, context): raise SystemExit(2)")
    running.environment.started.result(20)
    with pytest.raises(FunctionError, match=r"Runtime\.ExitError"):
        running.environment.run(b"{}").result(20)


def test_an_init_that_hangs_is_killed(launch: Callable[..., Environment], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.execution.INIT_SECONDS", 0.3)
    running = launch("import sys, threading; threading.Event().wait()")
    outcome = running.environment.run(b"{}")
    for future in (running.environment.started, outcome):
        with pytest.raises(FunctionError, match=r"Sandbox\.Timedout: Init of app\.handler timed out"):
            future.result(20)


def test_a_command_that_does_not_start_leaves_nothing(function: Callable[..., Function]) -> None:
    threads = set(threading.enumerate())
    with pytest.raises(FileNotFoundError):
        Environment(function("", command=("/no/such/runtime",)))
    assert set(threading.enumerate()) <= threads
