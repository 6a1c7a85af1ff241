"""Connections are kept alive, and peers that silently forget idle ones lose no login."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from local.execution import Function
from local.stack import Stack
from tests.artifact.forgetful import Forgetful, Forgets
from tests.integration.walker import Walker, grant_of
from tools.artifact import Layout

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="awslambdaric is for Linux")

_PEER = re.compile(r"//(?:127\.0\.0\.1|localhost):([0-9]+)")


class Network:
    """Puts the artifact in place of callback's source, and something forgetful before each of its peers.

    `aws` and `brokers` are what lies before them, once the function has been started.
    """

    aws: Forgetful
    brokers: Forgetful

    def __init__(self, layout: Layout, running: ExitStack) -> None:
        self._layout = layout
        self._running = running

    def __call__(self, function: Function) -> Function:
        if function.name != "CallbackFunction":
            return function
        started = self._layout.in_lambda(function)
        self.aws, endpoint = self._before(started.environment["AWS_ENDPOINT_URL"])
        self.brokers, apps = self._before(started.environment["BROKERLINK_BROKER_APPS"])
        own = {"AWS_ENDPOINT_URL": endpoint, "BROKERLINK_BROKER_APPS": apps}
        return replace(started, environment={**started.environment, **own})

    def _before(self, setting: str) -> tuple[Forgetful, str]:
        (port,) = set(_PEER.findall(setting))
        forgetful = self._running.enter_context(Forgetful(int(port)))
        return forgetful, _PEER.sub(f"//127.0.0.1:{forgetful.port}", setting)


@pytest.fixture(scope="module")
def network(layout: Layout) -> Iterator[Network]:
    with ExitStack() as running:
        yield Network(layout, running)


@pytest.fixture(scope="module")
def stack(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("connections")
    with Stack(runs=network, brokers_file=folder / "none.toml", logs=folder / "logs") as running:
        yield running


@pytest.fixture(autouse=True)
def warm(walker: Walker) -> None:
    """Have the function open what it keeps: a second login finds all of it, and a callback's process to itself."""
    for broker in ("pocketful", "fivepaisa"):
        assert walker.result(walker.log_in(broker))["status"] == "connected"


@pytest.mark.parametrize("broker", ["pocketful", "fivepaisa"])
def test_warm_logins_open_nothing_but_the_exchanges_connection(walker: Walker, network: Network, broker: str) -> None:
    to_aws, to_brokers = network.aws.opened, network.brokers.opened
    for _ in range(3):
        walker.log_in(broker)
    assert network.aws.opened == to_aws
    assert network.brokers.opened == to_brokers + 3


@pytest.mark.parametrize("how", Forgets)
@pytest.mark.parametrize("broker", ["pocketful", "fivepaisa"])
def test_forgotten_connections_lose_no_login(walker: Walker, network: Network, broker: str, how: Forgets) -> None:
    callback = walker.at_broker(walker.start(broker))
    for forgetful in (network.aws, network.brokers):
        forgetful.forget(how)
    assert walker.result(walker.get(callback))["status"] == "connected"
    # DynamoDB's and KMS's; a grant never goes out on a connection that had been idle.
    assert network.aws.met == 2
    assert network.brokers.met == 0
    assert len(walker.requests_with(grant_of(callback))) == 1
