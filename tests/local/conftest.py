"""What the tests of the local stack share: an emulator, a miniature stack in it, and the whole stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deployment import deploy
from local.emulator import Emulator
from local.ports import listen
from local.stack import Stack
from local.template import Template
from tests.local.miniature_stack import MINIATURE, PARAMETERS, SECRET, Miniature
from tests.privileges.watch import watched_stack


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    running = Emulator(listen(0, "AWS_PORT"))
    yield running
    running.close()


@pytest.fixture
def miniature(emulator: Emulator) -> Miniature:
    """The miniature stack, deployed into an emulator of its own."""
    template = Template.load(MINIATURE, PARAMETERS)
    secrets = {"BrokerSecret": SECRET}
    return Miniature(emulator, deploy(template, emulator, name="mini", parameters=PARAMETERS, secrets=secrets))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole local stack, without the developer's own brokers.local.toml."""
    folder: Path = tmp_path_factory.mktemp("stack")
    with watched_stack(brokers_file=folder / "brokers.local.toml", logs=folder / "logs") as running:
        yield running
