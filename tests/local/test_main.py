"""`python -m local` as a person runs it: what it says, how it fails, and that nothing of it stays behind."""

import ctypes
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from local.ports import listen
from tests.kit.program import PATIENCE, Program, free_ports
from tests.local.browser import Browser

PROJECT = Path(__file__).parents[2]


class Run(Program):
    """One `python -m local`."""

    def __init__(self, folder: Path, brokers: str = "", **settings: str) -> None:
        (folder / "brokers.toml").write_text(brokers, encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            # A developer's own, which must neither be used nor stop the start.
            "AWS_PROFILE": "production",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            **free_ports("PORT", "BROKERS_PORT", "AWS_PORT"),
            **settings,
        }
        command = [sys.executable, "-m", "local", "--brokers", str(folder / "brokers.toml")]
        super().__init__([*command, "--logs", str(folder / "logs")], cwd=PROJECT, env=environment)


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    started: list[Run] = []
    yield started
    for run in started:
        run.close()


def _descendants(pid: int) -> set[int]:
    """The processes below one, from /proc: pid and parent are the first and the fourth field of `stat`."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        parents[int(stat.parent.name)] = int(fields[1])
    found, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in found}
        grown = not more <= found
        found |= more
    return found - {pid}


def _ctrl_c(run: Run) -> None:
    """As a terminal does it: to the whole group."""
    os.killpg(run.process.pid, signal.SIGINT)


def _to_another_thread(run: Run) -> None:
    """As the kernel may do it with a signal for the process."""
    # The eldest after the main one, which stays: others come and go with requests.
    thread = min({int(task.name) for task in Path(f"/proc/{run.process.pid}/task").iterdir()} - {run.process.pid})
    assert ctypes.CDLL(None).tgkill(run.process.pid, thread, signal.SIGTERM) == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the processes from /proc")
@pytest.mark.parametrize("stop", [_ctrl_c, _to_another_thread])
def test_a_run_from_start_to_end(tmp_path: Path, runs: list[Run], stop: Callable[[Run], None]) -> None:
    run = Run(tmp_path)
    runs.append(run)
    base_url = run.wait_for_line(r"^Log in +http").split()[-1].rstrip("/")
    assert requests.get(f"{base_url}/", timeout=20).status_code == 200
    workers = _descendants(run.process.pid)
    assert len(workers) >= 4
    Browser(base_url).log_in("pocketful")
    run.wait_for_line(r"^event +brokerlink\.token\.issued\.v1: pocketful/YA0002 of user pocketful:YA0002$")
    run.wait_for_line(r"^consumer +pocketful YA0002: logged in until .* IST$")
    workers |= _descendants(run.process.pid)
    stop(run)
    assert run.end() == (0, "")
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    with pytest.raises(requests.ConnectionError):
        requests.get(base_url, timeout=5)


def test_the_printed_command_prepares_a_session(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path)
    runs.append(run)
    run.wait_for_line(r"^Prepare a session")
    command = run.wait_for_line("curl").rstrip("\\") + run.wait_for_line("/sessions")
    run.wait_for_line("Ctrl-C")
    answer = subprocess.run(  # noqa: S603 - the command under test
        [*shlex.split(command), "--silent", "--max-time", "20"], capture_output=True, text=True, check=True
    )
    assert re.match(r'\{"start_url":"http://127\.0\.0\.1:\d+/authorize/pocketful\?session=', answer.stdout)


def test_a_missing_package_is_one_sentence(tmp_path: Path, runs: list[Run]) -> None:
    package = tmp_path / "moto"
    package.mkdir()
    package.joinpath("__init__.py").write_text("raise ModuleNotFoundError(name='moto')", encoding="utf-8")
    run = Run(tmp_path, PYTHONPATH=str(tmp_path))
    runs.append(run)
    assert run.end() == (1, "The Python package moto is missing: `make run` installs what is needed and starts.\n")


def test_a_stop_during_the_start_leaves_nothing(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path)
    runs.append(run)
    run.wait_for_line("simulators on")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == (0, "")


def test_workers_end_with_a_stack_that_is_killed(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path)
    runs.append(run)
    run.wait_for_line("^Log in")
    # The workers hold the other end of the stack's standard output as long as they live.
    run.process.kill()
    run._reader.join(PATIENCE)
    assert not run._reader.is_alive()


@pytest.mark.parametrize("setting", ["PORT", "BROKERS_PORT", "AWS_PORT"])
def test_a_port_in_use_is_one_sentence(tmp_path: Path, runs: list[Run], setting: str) -> None:
    with listen(0, setting) as taken:
        port = taken.getsockname()[1]
        run = Run(tmp_path, **{setting: str(port)})
        runs.append(run)
        assert run.end() == (
            1,
            f"Port {port} is in use by another program: stop it, or choose another with {setting}=<port>.\n",
        )


@pytest.mark.parametrize(
    ("brokers", "settings", "sentence"),
    [
        ("", {"PORT": "http"}, "PORT must be a port number from 1 to 65535."),
        ('[pocketful]\nclient_secret = "c4nary"', {}, "brokers.toml: pocketful.client_id is missing or malformed."),
        ('[pocketful]\nclient_secret = "c4nary\n', {}, "brokers.toml, line 2: this is not TOML."),
    ],
)
def test_a_broken_configuration_is_one_sentence(
    tmp_path: Path, runs: list[Run], brokers: str, settings: dict[str, str], sentence: str
) -> None:
    run = Run(tmp_path, brokers, **settings)
    runs.append(run)
    assert run.end() == (1, f"{sentence}\n")
    assert "c4nary" not in "".join(run.seen)
