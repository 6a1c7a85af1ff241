"""A Lambda runtime for Python: loads a function's handler and runs one event after the other.

It speaks the Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) and sees to it that
a handler finds here what AWS's own awslambdaric gives it, which cannot be had for every developer's machine.
It runs as a script in a process of its own, and imports nothing of the local stack. It ends when its parent
does.
"""

import http.client
import importlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping

_API = "/2018-06-01/runtime"


class LambdaContext:
    """A handler's second argument (https://docs.aws.amazon.com/lambda/latest/dg/python-context.html)."""

    identity = None
    client_context = None

    def __init__(
        self, headers: Mapping[str, str], environment: Mapping[str, str], now: Callable[[], float] = time.time
    ) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        self._now = now

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the invocation is killed, never below 0."""
        return max(0, self._deadline_ms - int(self._now() * 1000))


type Handler = Callable[[object, LambdaContext], object]


class InitError(Exception):
    """The function cannot be loaded; ``error_type`` is the one awslambdaric reports."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class RuntimeClient:
    """The runtime's side of the Runtime API, on one connection."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)

    def next_event(self) -> tuple[str, Mapping[str, str]]:
        """Wait for the next event; return its JSON text and the headers that describe the invocation."""
        self._connection.request("GET", f"{_API}/invocation/next")
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ConnectionError(f"the Runtime API answered {answer.status}")
        return body.decode(), dict(answer.getheaders())

    def respond(self, request_id: str, response: str) -> None:
        """Post what the handler returned, as JSON text."""
        self._post(f"/invocation/{request_id}/response", response, {})

    def report(self, path: str, error_type: str, error: BaseException) -> None:
        """Post an exception to ``path``: the init error's or an invocation's."""
        report = {
            "errorMessage": str(error),
            "errorType": error_type,
            "stackTrace": traceback.format_tb(error.__traceback__),
        }
        self._post(path, json.dumps(report), {"Lambda-Runtime-Function-Error-Type": error_type})

    def _post(self, path: str, body: str, headers: Mapping[str, str]) -> None:
        headers = {"Content-Type": "application/json", **headers}
        self._connection.request("POST", _API + path, body.encode(), headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise ConnectionError(f"the Runtime API answered {answer.status}")


def load_handler(name: str) -> Handler:
    """Import ``module.function``. Raises InitError, or what the module itself raises while it is imported."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise InitError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        raise InitError("Runtime.UserCodeSyntaxError", message) from error
    handler: Handler | None = getattr(module, function_name, None)
    if handler is None:
        raise InitError("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return handler


def run(client: RuntimeClient, handler: Handler) -> None:
    """Run events until the Runtime API hangs up, which raises OSError or HTTPException."""
    while True:
        text, headers = client.next_event()
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        context = LambdaContext(headers, os.environ)
        try:
            result = handler(json.loads(text), context)
        except Exception as error:  # noqa: BLE001 - whatever the function raises is reported as its error
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next  # the function's frames, without this one
            _fail(client, context, type(error).__name__, error)
            continue
        try:
            response = json.dumps(result, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            _fail(client, context, "Runtime.MarshalError", error)
            continue
        client.respond(context.aws_request_id, response)


def _fail(client: RuntimeClient, context: LambdaContext, error_type: str, error: Exception) -> None:
    _log_error(error_type, error)
    client.report(f"/invocation/{context.aws_request_id}/error", error_type, error)


def _log_error(error_type: str, error: BaseException) -> None:
    lines = [f"[ERROR] {error_type}: {error}\n", "Traceback (most recent call last):\n"]
    sys.stdout.write("".join(lines + traceback.format_tb(error.__traceback__)))


def _end_with_parent() -> None:
    """End this process as soon as the parent's end of standard input closes, however the parent ended."""
    lifeline = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - pathlib would be one more import for every start
        os.dup2(nothing.fileno(), 0)

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


def main() -> None:
    """Load the handler that the environment names, as Lambda's init phase does, then run its events."""
    _end_with_parent()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    client = RuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 - any failure of the module is reported, then ends the process
        error_type = error.error_type if isinstance(error, InitError) else type(error).__name__
        _log_error(error_type, error)
        client.report("/init/error", error_type, error)
        sys.exit(1)
    try:
        run(client, handler)
    except (OSError, http.client.HTTPException):
        sys.exit(1)  # the Runtime API is gone, and the stack with it


if __name__ == "__main__":
    main()
