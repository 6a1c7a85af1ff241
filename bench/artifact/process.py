"""A function's process under AWS's runtime client, with a stopwatch."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

from local.execution import Function, process_environment
from local.runtime_api import FunctionError, Invocation, RuntimeApi

_SECONDS = 60.0


class Process:
    """Starts a function; use it in a `with` statement. Raises `FunctionError` for one that fails, and TimeoutError."""

    def __init__(self, function: Function) -> None:
        self._ready: Future[float] = Future()
        self._ended = 0.0
        self._api = RuntimeApi(function.arn, function.timeout, self)
        environment = process_environment(function, self._api.address)
        self._output = TemporaryFile()  # noqa: SIM115 - it is closed with the process
        self._began = time.perf_counter()
        # The local stack's runtime ends when its standard input does.
        self._process = subprocess.Popen(  # noqa: S603 - the function's own command
            function.command,
            cwd=function.code_dir,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._api.close()
        self._output.close()

    def cold_start(self) -> float:
        """Give the seconds from the start of the process until it asked for its first event."""
        try:
            return self._ready.result(_SECONDS) - self._began
        except TimeoutError:
            state = self._process.poll()
            raise TimeoutError(f"no start within {_SECONDS:g} s (exit code {state}): {self.output()}") from None

    def invoke(self, event: Mapping[str, object]) -> tuple[float, object]:
        """Give the seconds from the offer of an event until the response, and the response."""
        invocation = Invocation("00000000-0000-0000-0000-000000000000", json.dumps(event).encode())
        began = time.perf_counter()
        self._api.offer(invocation)
        response = invocation.outcome.result(_SECONDS)
        return self._ended - began, json.loads(response)

    def peak_memory(self) -> float:
        """Give the most memory that the process held so far, in MB."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the process has ended")

    def output(self) -> str:
        """Give what the process printed so far."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")

    # What the Runtime API observes.

    def initialised(self) -> None:
        self._ready.set_result(time.perf_counter())

    def init_failed(self, error: FunctionError) -> None:
        self._ready.set_exception(error)

    def taken(self, invocation: Invocation) -> None:
        pass

    def responded(self, invocation: Invocation, response: bytes) -> None:
        self._ended = time.perf_counter()
        invocation.outcome.set_result(response)

    def failed(self, invocation: Invocation, error: FunctionError) -> None:
        invocation.outcome.set_exception(error)
