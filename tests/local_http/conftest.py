"""What the HTTP side's tests share: raw exchanges with a server, and functions to run."""

import socket
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.runtime import Function, FunctionPool

type Exchange = Callable[[int, bytes], bytes]


@pytest.fixture
def exchange() -> Exchange:
    """Send bytes to a loopback port as they are, and return all that comes back until the server closes."""

    def send(port: int, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(data)
            received = bytearray()
            while part := connection.recv(65_536):
                received += part
            return bytes(received)

    return send


@pytest.fixture
def function(tmp_path: Path) -> Callable[..., Function]:
    """Write a module ``app`` and describe it as a function."""

    def write(source: str, **changes: object) -> Function:
        (tmp_path / "app.py").write_text(textwrap.dedent(source))
        fields: dict[str, object] = {
            "name": "demo",
            "code_dir": tmp_path,
            "handler": "app.handler",
            "environment": {},
            "timeout": 10.0,
        }
        return Function(**{**fields, **changes})  # type: ignore[arg-type]  # each test names what it changes

    return write


@pytest.fixture
def start(function: Callable[..., Function]) -> Iterator[Callable[..., tuple[FunctionPool, list[str]]]]:
    """Start a pool for a function's source; return it with the lines it logs. All pools close afterwards."""
    pools = []

    def begin(
        source: str, *, max_workers: int = 4, prewarm: int = 1, **changes: object
    ) -> tuple[FunctionPool, list[str]]:
        lines: list[str] = []
        pool = FunctionPool(function(source, **changes), log=lines.append, max_workers=max_workers, prewarm=prewarm)
        pools.append(pool)
        return pool, lines

    yield begin
    for pool in pools:
        pool.close()
