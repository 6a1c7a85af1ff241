"""Starting and stopping engines: where they listen, and that none is left behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local import engines
from local.aws import Clients
from local.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
# Starts an engine, tells its port, and ends as a killed process does: without a word to anybody.
_KILLED = """
import os, signal, sys
from local import engines
running = engines.start("ministack")
engine = running.__enter__()
print(engine.port, flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_engine_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="moto, ministack, dynamodb-local"):
        engines.start("dynalite")


@pytest.mark.parametrize("name", ["ministack", "dynamodb-local"])
def test_an_engine_that_is_not_installed_says_how_it_gets_there(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "TOOLS", tmp_path)
    with pytest.raises(ConfigurationError, match=f"make engine ENGINE={name}"), engines.start(name):
        pass


def test_ministack_listens_on_loopback_and_ends_with_a_killed_test_run() -> None:
    command = [sys.executable, "-c", _KILLED]
    with subprocess.Popen(  # noqa: S603 - the program above
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        port = int(starter.stdout.readline())
        assert Clients(f"http://127.0.0.1:{port}").dynamodb.list_tables()["TableNames"] == []
        # Also loopback, but another address of it: what listens on all interfaces answers there.
        with pytest.raises(OSError, match=r"refused|timed out|assign"):
            socket.create_connection(("127.0.0.2", port), timeout=5)
        assert starter.stdin is not None
        starter.stdin.close()
        starter.wait(30)
    until = time.monotonic() + 30
    while answers(port):
        assert time.monotonic() < until, "the engine outlived the process that started it"
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True
