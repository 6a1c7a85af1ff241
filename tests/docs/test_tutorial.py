"""docs/tutorial.md from its own text: what it has one write is written, and what it has one run is run, in its order.

One thing is done earlier than a reader does it: the strategy is in its place before `make run`, which is started once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.aws import Clients
from tests.integration.walker import Walker
from tests.kit.documents import PROJECT, block, blocks
from tests.kit.program import Program, free_ports

TUTORIAL = "docs/tutorial.md"
QUICK_START = "docs/quick-start.md"
STRATEGY = Path("examples/consumer/consumer.py")
DEFAULTS = {"PORT": "8000", "BROKERS_PORT": "8001", "AWS_PORT": "8002"}


@dataclass(frozen=True)
class Reader:
    """Somebody who follows the tutorial, in a clone, with other ports than the default ones."""

    folder: Path
    ports: Mapping[str, str]
    local: Program
    # A walk asks for these too; the tutorial looks the outputs up by itself.
    clients: Clients
    outputs: Mapping[str, str]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['PORT']}"

    @property
    def brokers_url(self) -> str:
        return f"http://localhost:{self.ports['BROKERS_PORT']}"

    def start(self, name: str) -> Program:
        """Start what a block of the tutorial runs in the second terminal."""
        commands = with_ports(block(TUTORIAL, "environment") + block(TUTORIAL, name), self.ports)
        return Program(["sh", "-e", "-c", commands], cwd=self.folder, env=environment(self.folder))

    def log_in(self, customer: str = "YA0002") -> str:
        """Log in as the tutorial says; give the page at which that ends."""
        walker = Walker(self)
        callback = walker.at_broker(walker.start("pocketful"), account=customer)
        return walker.get(walker.get(callback).headers["location"]).text


def with_ports(text: str, ports: Mapping[str, str]) -> str:
    """Give a block of the tutorial with the ports of this run."""
    for name, default in DEFAULTS.items():
        text = text.replace(f":{default}", f":{ports[name]}")
    return text


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder)}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder, ports = tmp_path_factory.mktemp("clone"), free_ports(*DEFAULTS)
    clone(PROJECT, folder, STRATEGY)
    (folder / STRATEGY).write_text(with_ports(block(TUTORIAL, "strategy"), ports))
    for name in ("opening.py", "waiting.py"):
        (folder / name).write_text(block(TUTORIAL, name))
    (command,) = {each.text for each in blocks(TUTORIAL) if each.mark == "tested: run"}
    local = Program(["sh", "-c", command], cwd=folder, env={**environment(folder), **ports})
    local.wait_for_line("Ctrl-C stops everything")
    yield Reader(folder, ports, local, Clients(f"http://127.0.0.1:{ports['AWS_PORT']}"), {})
    os.killpg(local.process.pid, signal.SIGTERM)
    local.end()
    local.close()


def clone(source: Path, folder: Path, written: Path) -> None:
    """Make a copy by links, without what is one's own, in which one file can be written."""
    own = {".git", ".brokerlink", "brokers.local.toml"}
    first, *rest = written.parts
    for path in source.iterdir():
        if path.name == first and rest:
            (folder / first).mkdir()
            clone(path, folder / first, Path(*rest))
        elif path.name != first and path.name not in own:
            (folder / path.name).symlink_to(path)


def test_strategy_reacts_to_a_login(reader: Reader) -> None:
    assert "Pocketful is connected" in reader.log_in()
    event = reader.local.wait_for_line("^event")
    shown = [line for each in blocks(TUTORIAL) if each.language == "text" for line in each.text.splitlines()]
    assert event in shown
    assert reader.local.wait_for_line("^consumer") == block(TUTORIAL, "reacts").rstrip()


def test_program_at_the_opening_finds_everybody(reader: Reader) -> None:
    customers = ["YA0002", "YA0003"]
    for customer in customers:
        reader.log_in(customer)
    program = reader.start("run opening.py")
    found = [program.wait_for_line("^pocketful:").split()[1] for _ in customers]
    assert program.end() == (0, "")
    program.close()
    assert sorted(found) == customers


def test_process_that_waits_reacts_to_a_login(reader: Reader) -> None:
    program = reader.start("run waiting.py")
    program.wait_for_line("waiting for a login")
    reader.log_in()
    program.wait_for_line("^trading for pocketful YA0002$")
    os.killpg(program.process.pid, signal.SIGTERM)
    assert program.end()[1] == ""
    program.close()


def test_quick_start_prepares_a_session(reader: Reader) -> None:
    assert block(QUICK_START, "run") == block(TUTORIAL, "run") == block("README.md", "run")
    command = with_ports(block(QUICK_START, "session"), reader.ports)
    done = subprocess.run(  # noqa: S603 - our own document
        ["sh", "-c", command],  # noqa: S607 - the shell of the PATH, as a reader's
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["start_url"].startswith(f"{reader.base_url}/authorize/pocketful?session=")
