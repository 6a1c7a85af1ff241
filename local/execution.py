"""An execution environment: one process that runs one function, one event at a time.

The process finds what Lambda gives a function and nothing of the developer's own shell
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
"""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from local.aws import REGION
from local.runtime_api import FunctionError, Invocation, RuntimeApi

# Lambda allows 10 s and then initialises once more within the invocation; here a start is given all of it at
# once.
INIT_SECONDS = 30.0
_LONGEST_LINE = 256 * 1024  # CloudWatch Logs' largest event
_WORKER = (sys.executable, "-u", "-P", str(Path(__file__).with_name("worker.py")))

type LineSink = Callable[[str], None]


class NotDeliveredError(Exception):
    """The environment ended before its process was given the event, which another one may still run."""


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function, as the template describes it.

    ``environment`` are its own variables, with the credentials and the endpoint for its AWS clients;
    ``layers`` are import roots; ``timeout`` is in seconds. ``command`` starts another runtime than this
    project's worker, in ``code_dir``: ``(python, "-m", "awslambdaric", handler)``.
    """

    name: str
    code_dir: Path
    handler: str
    environment: Mapping[str, str] = field(repr=False)
    timeout: float
    layers: tuple[Path, ...] = ()
    memory_mb: int = 128
    account: str = "123456789012"
    command: tuple[str, ...] = _WORKER

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{REGION}:{self.account}:function:{self.name}"


def process_environment(function: Function, runtime_api: str) -> dict[str, str]:
    """Return every variable of the function's process. Lambda's reserved ones win over the function's own."""
    import_roots = [str(root) for root in function.layers]
    if own := function.environment.get("PYTHONPATH"):
        import_roots.append(own)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # Without HOME an SDK would still find the developer's own files, through the password database.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **function.environment,
        "PYTHONPATH": os.pathsep.join(import_roots),
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"[$LATEST]{uuid.uuid4().hex}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "LAMBDA_TASK_ROOT": str(function.code_dir),
        "_HANDLER": function.handler,
    }


class ExecutionEnvironment:
    """A running process and its Runtime API.

    ``log`` is given each line of its output, ``released`` is called when it can run the next event, ``gone``
    when its process has ended; all three from other threads. ``started`` is done when the function is loaded,
    or has the FunctionError that tells why it is not.
    """

    def __init__(
        self,
        function: Function,
        *,
        log: LineSink,
        released: Callable[["ExecutionEnvironment"], None],
        gone: Callable[["ExecutionEnvironment"], None],
    ) -> None:
        self.started: Future[None] = Future()
        self._function = function
        self._log = log
        self._released = released
        self._gone = gone
        self._lock = threading.Lock()
        self._invocation: Invocation | None = None
        self._delivered = False
        self._ended = False
        self._reason: FunctionError | None = None
        self._timer = threading.Timer(INIT_SECONDS, self._give_up_init)
        self._api = RuntimeApi(function.arn, function.timeout, self)
        try:
            # Nothing is ever written to standard input: that it closes tells the worker that this process ended.
            # Ctrl-C in the terminal must not reach the workers, which the stack ends: they get a group of their own.
            self._process = subprocess.Popen(  # noqa: S603 - this project's worker, or the caller's command
                function.command,
                cwd=function.code_dir,
                env=process_environment(function, self._api.address),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        except OSError:
            self._api.close()
            raise
        self._timer.daemon = True
        self._timer.start()
        self._watcher = threading.Thread(target=self._watch, name=f"watch-{function.name}", daemon=True)
        self._watcher.start()

    def run(self, payload: bytes) -> Future[bytes]:
        """Run one event, JSON text; the environment must be free.

        The future gives the response's JSON text, or raises FunctionError or NotDeliveredError.
        """
        invocation = Invocation(str(uuid.uuid4()), payload)
        with self._lock:
            if self._ended:
                invocation.outcome.set_exception(NotDeliveredError())
                return invocation.outcome
            self._invocation, self._delivered = invocation, False
        self._api.offer(invocation)
        return invocation.outcome

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def join(self, timeout: float) -> None:
        """Wait until the process has ended and everything of it is cleared away."""
        self._watcher.join(timeout)

    # What the Runtime API observes.

    def initialised(self) -> None:
        with self._lock:
            if not self._ended:
                self._timer.cancel()
                self.started.set_result(None)

    def init_failed(self, error: FunctionError) -> None:
        self._reason = error

    def taken(self, invocation: Invocation) -> None:
        with self._lock:
            if self._ended:
                return
            self._delivered = True
            self._timer = threading.Timer(self._function.timeout, self._time_out, (invocation,))
            self._timer.daemon = True
            self._timer.start()

    def responded(self, invocation: Invocation, response: bytes) -> None:
        if self._release(invocation):
            invocation.outcome.set_result(response)

    def failed(self, invocation: Invocation, error: FunctionError) -> None:
        if self._release(invocation):
            invocation.outcome.set_exception(error)

    def _release(self, invocation: Invocation) -> bool:
        with self._lock:
            if self._invocation is not invocation or self._reason is not None:
                return False
            self._invocation = None
            self._timer.cancel()
        self._released(self)
        return True

    def _time_out(self, invocation: Invocation) -> None:
        with self._lock:
            if self._invocation is not invocation:
                return
            message = f"{invocation.request_id} Task timed out after {self._function.timeout:.2f} seconds"
            self._reason = FunctionError("Sandbox.Timedout", message)
        self._log(message)
        self.kill()

    def _give_up_init(self) -> None:
        self._reason = self._reason or FunctionError(
            "Sandbox.Timedout", f"Init of {self._function.handler} timed out after {INIT_SECONDS:.2f} seconds"
        )
        self.kill()

    def _watch(self) -> None:
        """Pass the output on, line by line, until the process has ended; then settle what it leaves."""
        with self._process as process:
            if process.stdout is not None:
                while line := process.stdout.readline(_LONGEST_LINE):
                    self._log(line.decode("utf-8", errors="replace").rstrip("\r\n"))
            status = process.wait()
        self._api.close()
        error = self._reason or FunctionError("Runtime.ExitError", f"Runtime exited with error: {_exit_status(status)}")
        with self._lock:
            self._ended = True
            self._timer.cancel()
            invocation, self._invocation, delivered = self._invocation, None, self._delivered
        self._gone(self)
        loaded = self.started.done()
        if not loaded:
            self.started.set_exception(error)
        if invocation is not None and not invocation.outcome.done():
            invocation.outcome.set_exception(NotDeliveredError() if loaded and not delivered else error)


def _exit_status(status: int) -> str:
    return f"signal: {-status}" if status < 0 else f"exit status {status}"
