import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.runtime import Function, FunctionError, FunctionPool, PoolClosedError, TooSlowError

type Start = Callable[..., tuple[FunctionPool, list[str]]]

ECHO = """
    import os
    def handler(event, context):
        return {"event": event, "pid": os.getpid()}
"""
# Tells the test that it is there, by sending it its process id, and stays until it is let go or killed.
HANG = """
    import os, socket
    def handler(event, context):
        with socket.create_connection(("127.0.0.1", event["port"])) as connection:
            connection.sendall(b"%10d" % os.getpid())
            connection.recv(1)
        return "let go"
"""


class Witness:
    """A listener to which hanging handlers connect: it sees them arrive, lets them go, and sees them die."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        self.pids: list[int] = []

    def arrival(self) -> socket.socket:
        connection, _ = self._listener.accept()
        connection.settimeout(20)
        self.connections.append(connection)
        self.pids.append(int(connection.recv(10, socket.MSG_WAITALL)))
        return connection

    def close(self) -> None:
        for sock in (*self.connections, self._listener):
            sock.close()


@pytest.fixture
def witness() -> Iterator[Witness]:
    with contextlib.closing(Witness()) as witness:
        yield witness


def died(connection: socket.socket) -> bool:
    """Wait until the process at the other end is gone."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def failure(pool: FunctionPool, event: dict[str, object] | None = None) -> FunctionError:
    with pytest.raises(FunctionError) as raised:
        pool.invoke(event or {}, patience=20)
    return raised.value


def test_event_and_response_are_json(start: Start) -> None:
    pool, _ = start("def handler(event, context): return event")
    event = {"text": "λ\u2028\x00\ud800", "list": [1, 2.5, None, True], "nested": {"": ""}}
    assert pool.invoke(event, patience=20) == event
    assert pool.invoke({}, patience=20) == {}


def test_one_idle_worker_is_used_again_the_last_one_first(start: Start) -> None:
    pool, _ = start(ECHO, prewarm=3)
    pids = {str(pool.invoke({"n": n}, patience=20)) for n in range(5)}
    assert len({pid.split("'pid': ")[1] for pid in pids}) == 1


def test_after_idle_workers_were_ended_the_next_event_starts_cold(start: Start, witness: Witness) -> None:
    pool, _ = start(HANG, prewarm=2)
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(pool.invoke, {"port": witness.port}, patience=20)
        busy = witness.arrival()
        pool.retire()
        assert pool.size == 1
        busy.sendall(b"x")
        assert answer.result(20) == "let go"
        pool.retire()
        assert died(busy)
        assert pool.size == 0
        again = clients.submit(pool.invoke, {"port": witness.port}, patience=20)
        witness.arrival().sendall(b"x")
        assert again.result(20) == "let go"
    assert len(set(witness.pids)) == 2


def test_fifty_events_at_once_are_all_answered_by_at_most_max_workers(start: Start) -> None:
    pool, _ = start(ECHO, max_workers=3)
    with ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(lambda n: pool.invoke({"n": n}, patience=60), range(50)))
    numbers, pids = set(), set()
    for answer in answers:
        assert isinstance(answer, dict)
        numbers.add(answer["event"]["n"])
        pids.add(answer["pid"])
    assert numbers == set(range(50))
    assert 1 <= len(pids) <= 3


def test_events_run_side_by_side_up_to_the_limit_and_wait_above_it(start: Start, witness: Witness) -> None:
    pool, _ = start(HANG, max_workers=2)
    with ThreadPoolExecutor(3) as clients:
        answers = [clients.submit(pool.invoke, {"port": witness.port}, patience=20) for _ in range(3)]
        first, second = witness.arrival(), witness.arrival()
        assert not any(answer.done() for answer in answers)
        first.sendall(b"x")
        third = witness.arrival()
        second.sendall(b"x")
        third.sendall(b"x")
        assert [answer.result(20) for answer in answers] == ["let go"] * 3


def test_who_waits_too_long_is_told_and_the_function_runs_on(start: Start, witness: Witness) -> None:
    pool, _ = start(HANG, max_workers=1)
    pool.wait_until_ready(20)
    with pytest.raises(TooSlowError):
        pool.invoke({"port": witness.port}, patience=0.3)
    running = witness.arrival()
    with pytest.raises(TooSlowError):
        pool.invoke({"port": witness.port}, patience=0.05)
    running.sendall(b"x")
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(pool.invoke, {"port": witness.port}, patience=20)
        witness.arrival().sendall(b"x")
        assert answer.result(20) == "let go"


def test_a_function_over_its_time_is_killed_and_replaced(start: Start, witness: Witness) -> None:
    pool, lines = start(HANG, timeout=2, max_workers=1)
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(failure, pool, {"port": witness.port})
        assert died(witness.arrival())
        error = answer.result(20)
    assert error.error_type == "Sandbox.Timedout"
    assert error.message.endswith("Task timed out after 2.00 seconds")
    assert any("Task timed out" in line for line in lines)
    with ThreadPoolExecutor(1) as client:
        again = client.submit(pool.invoke, {"port": witness.port}, patience=20)
        witness.arrival().sendall(b"x")
        assert again.result(20) == "let go"


def test_an_exception_is_an_error_with_its_type_and_the_worker_lives(start: Start, tmp_path: Path) -> None:
    pool, lines = start("""
        import os
        class OutOfStock(Exception): pass
        def handler(event, context):
            if event.get("fail"):
                raise OutOfStock("nothing left")
            return os.getpid()
    """)
    before = pool.invoke({}, patience=20)
    error = failure(pool, {"fail": True})
    assert (error.error_type, error.message) == ("OutOfStock", "nothing left")
    assert pool.invoke({}, patience=20) == before
    assert "[ERROR] OutOfStock: nothing left" in lines
    assert lines[lines.index("Traceback (most recent call last):") + 1].strip().startswith('File "' + str(tmp_path))


@pytest.mark.parametrize("result", ["object()", "{1: float('nan')}", "{'a': b''}", "float('inf')"])
def test_a_result_that_is_no_json_is_a_marshal_error(start: Start, result: str) -> None:
    pool, _ = start(f"def handler(event, context): return {result}")
    assert failure(pool).error_type == "Runtime.MarshalError"


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("sys.exit(4)", "Runtime exited with error: exit status 4"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: 9"),
    ],
)
def test_a_crash_in_the_handler_is_an_exit_error_and_the_next_event_gets_a_new_worker(
    start: Start, ending: str, message: str
) -> None:
    pool, _ = start(f"""
        import os, sys
        def handler(event, context):
            if event.get("crash"):
                {ending}
            return os.getpid()
    """)
    before = pool.invoke({}, patience=20)
    error = failure(pool, {"crash": True})
    assert (error.error_type, error.message) == ("Runtime.ExitError", message)
    assert pool.invoke({}, patience=20) != before


def test_an_idle_worker_that_died_costs_no_event(start: Start) -> None:
    pool, _ = start(ECHO, max_workers=1)
    answer = pool.invoke({}, patience=20)
    assert isinstance(answer, dict)
    os.kill(answer["pid"], signal.SIGKILL)
    for thread in threading.enumerate():
        if thread.name == "watch-demo":
            thread.join(20)
    again = pool.invoke({}, patience=20)
    assert isinstance(again, dict)
    assert again["pid"] != answer["pid"]


@pytest.mark.parametrize(
    ("source", "handler", "error_type", "message"),
    [
        ("import no_such_module", "app.handler", "Runtime.ImportModuleError", "No module named 'no_such_module'"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("", "absent.handler", "Runtime.ImportModuleError", "No module named 'absent'"),
        ("", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("raise KeyError('BROKERLINK_TABLE')", "app.handler", "KeyError", "BROKERLINK_TABLE"),
        ("import os; os._exit(5)", "app.handler", "Runtime.ExitError", "exit status 5"),
    ],
)
def test_a_crash_in_init_is_told_to_who_waits_for_it_and_to_every_caller(
    start: Start, source: str, handler: str, error_type: str, message: str
) -> None:
    pool, lines = start(source, handler=handler)
    with contextlib.suppress(FunctionError):
        pool.wait_until_ready(20)
    for _ in range(2):
        error = failure(pool)
        assert error.error_type == error_type
        assert message in error.message
    if error_type != "Runtime.ExitError":
        assert any(message in line for line in lines)


def test_waiting_for_a_function_that_does_not_load_raises_its_error(start: Start) -> None:
    pool, _ = start("raise ValueError('at import')", prewarm=0)
    with pytest.raises(FunctionError, match="ValueError: at import"):
        pool.wait_until_ready(20)


def test_as_many_environments_are_ready_as_are_asked_for(start: Start) -> None:
    pool, _ = start(ECHO)
    pool.wait_until_ready(20, 3)
    assert pool.size == 3
    pool.wait_until_ready(20)
    assert pool.size == 3


def test_output_is_logged_line_by_line(start: Start) -> None:
    pool, lines = start("""
        import os, sys
        print("at init")
        def handler(event, context):
            print("one\\n\\ntwo")
            print("three", file=sys.stderr)
            sys.stdout.buffer.write(b"\\xff\\r\\nno end")
            sys.stdout.flush()
            os._exit(0)
    """)
    failure(pool)
    assert lines == ["at init", "one", "", "two", "three", "\ufffd", "no end"]


def test_the_environment_is_lambdas_and_the_functions_own(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "HOME", "PYTHONSTARTUP", "BROKERLINK_X"):
        monkeypatch.setenv(name, "from the shell")
    pool, _ = start(
        "import os\ndef handler(event, context): return dict(os.environ)",
        environment={"TABLE": "t", "AWS_LAMBDA_FUNCTION_NAME": "not this", "AWS_ENDPOINT_URL": "http://x"},
        memory_mb=512,
        layers=(tmp_path / "layer",),
    )
    environment = pool.invoke({}, patience=20)
    assert isinstance(environment, dict)
    assert "from the shell" not in environment.values()
    runtime_api, stream = environment.pop("AWS_LAMBDA_RUNTIME_API"), environment.pop("AWS_LAMBDA_LOG_STREAM_NAME")
    assert runtime_api.startswith("127.0.0.1:")
    assert stream.startswith("[$LATEST]")
    assert environment.pop("_X_AMZN_TRACE_ID").startswith("Root=1-")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert environment == {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": "ap-south-1",
        "AWS_DEFAULT_REGION": "ap-south-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TABLE": "t",
        "AWS_ENDPOINT_URL": "http://x",
        "PYTHONPATH": str(tmp_path / "layer"),
        "AWS_LAMBDA_FUNCTION_NAME": "demo",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/demo",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "_HANDLER": "app.handler",
    }


def test_the_import_roots_are_the_code_then_the_layers(start: Start, tmp_path: Path) -> None:
    layers = tmp_path / "first", tmp_path / "second"
    for layer in layers:
        layer.mkdir()
        (layer / "shared.py").write_text(f"name = {layer.name!r}")
        (layer / "app.py").write_text("raise AssertionError")
    pool, _ = start(
        """
        import os, sys, shared
        def handler(event, context): return [shared.name, os.getcwd(), *sys.path[:3]]
        """,
        layers=layers,
    )
    assert pool.invoke({}, patience=20) == ["first", str(tmp_path), str(tmp_path), *map(str, layers)]


def test_ctrl_c_in_the_terminal_does_not_reach_the_workers(start: Start) -> None:
    pool, _ = start("import os\ndef handler(event, context): return os.getpgrp()")
    assert pool.invoke({}, patience=20) != os.getpgrp()


def test_the_context_is_lambdas(start: Start) -> None:
    pool, _ = start(
        """
        def handler(event, context):
            return {
                "left": context.get_remaining_time_in_millis(),
                "id": context.aws_request_id,
                **{name: getattr(context, name) for name in event["names"]},
            }
        """,
        timeout=60.0,
        account="111122223333",
        memory_mb=256,
    )
    expected = {
        "function_name": "demo",
        "function_version": "$LATEST",
        "memory_limit_in_mb": "256",
        "invoked_function_arn": "arn:aws:lambda:ap-south-1:111122223333:function:demo",
        "log_group_name": "/aws/lambda/demo",
        "identity": None,
        "client_context": None,
    }
    first, second = (pool.invoke({"names": list(expected)}, patience=20) for _ in range(2))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["id"] != second["id"]
    assert 50_000 < first["left"] <= 60_000
    assert {name: first[name] for name in expected} == expected


def test_close_leaves_nothing(function: Callable[..., Function], witness: Witness) -> None:
    threads = set(threading.enumerate())
    pool = FunctionPool(function(HANG), log=lambda _: None, max_workers=3, prewarm=3)
    with ThreadPoolExecutor(2) as clients:
        answers = [clients.submit(failure, pool, {"port": witness.port}) for _ in range(2)]
        busy = [witness.arrival(), witness.arrival()]
        pool.close()
        assert all(died(connection) for connection in busy)
        assert {answer.result(20).error_type for answer in answers} == {"Runtime.ExitError"}
    pool.close()
    with pytest.raises(PoolClosedError):
        pool.invoke({})
    left = set(threading.enumerate()) - threads
    for thread in left:  # a cancelled timer needs a moment to end
        thread.join(20)
    assert not any(thread.is_alive() for thread in left)
    for pid in witness.pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)  # gone, and reaped: a zombie would still be there


def test_close_tells_those_who_wait_for_a_worker(start: Start, witness: Witness) -> None:
    pool, _ = start(HANG, max_workers=1)
    with ThreadPoolExecutor(4) as clients:
        running = clients.submit(failure, pool, {"port": witness.port})
        witness.arrival()
        waiting = [clients.submit(pool.invoke, {"port": witness.port}, patience=60) for _ in range(3)]
        with pytest.raises(TooSlowError):
            pool.invoke({}, patience=0.05)  # time for the three to be waiting
        pool.close()
        assert running.result(20).error_type == "Runtime.ExitError"
        for answer in waiting:
            with pytest.raises(PoolClosedError):
                answer.result(20)


@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
def test_workers_die_with_their_parent(tmp_path: Path, witness: Witness, busy: bool) -> None:  # noqa: FBT001 - a table
    source = f"""
        import os, socket
        line = socket.create_connection(("127.0.0.1", {witness.port}))
        line.sendall(b"%10d" % os.getpid())
        def handler(event, context):
            line.sendall(b"!")
            line.recv(1)
    """
    (tmp_path / "app.py").write_text(textwrap.dedent(source))
    parent_source = f"""
        from pathlib import Path
        from local.runtime import Function, FunctionPool
        function = Function("demo", Path({str(tmp_path)!r}), "app.handler", {{}}, 60.0)
        pool = FunctionPool(function, log=print)
        pool.wait_until_ready(20)
        print("ready", flush=True)
        {"pool.invoke({})" if busy else "input()"}
    """
    with subprocess.Popen(  # noqa: S603 - this test's own source
        [sys.executable, "-c", textwrap.dedent(parent_source)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        worker = witness.arrival()
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        if busy:
            assert worker.recv(1) == b"!"
        parent.kill()
        assert died(worker)
