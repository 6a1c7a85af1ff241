"""Simulators that run for one test, and the apps that speak to them."""

from collections.abc import Iterator

import pytest

from local.simulators import RunningSimulators, serve
from tests.simulators.parties import CLIENTS, FivepaisaApp, PocketfulApp, TurnedClock


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def simulators(clock: TurnedClock) -> Iterator[RunningSimulators]:
    with serve(0, clients=CLIENTS, clock=clock) as running:
        yield running


@pytest.fixture
def pocketful(simulators: RunningSimulators) -> PocketfulApp:
    return PocketfulApp(simulators.pocketful_url)


@pytest.fixture
def fivepaisa(simulators: RunningSimulators) -> FivepaisaApp:
    return FivepaisaApp(simulators.fivepaisa_url)
