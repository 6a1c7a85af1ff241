"""All journeys, walked once, and what they asked of AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from local.moto_engine import Moto
from local.stack import Stack
from tests.privileges.calls import Call
from tests.privileges.journeys import JOURNEYS
from tests.privileges.recorder import Recorder
from tests.privileges.resources import Resources, resources_of
from tests.privileges.roles import CALLERS, consumer_source
from tests.template.stack import source, translate


@dataclass(frozen=True)
class Evidence:
    """The calls that were made, each with how often, and the ARNs of what they were made on."""

    calls: Mapping[Call, int]
    resources: Resources


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("stack")
    recorder = Recorder(Moto(), CALLERS)
    with Stack(engine=recorder, brokers_file=folder / "brokers.local.toml", logs=folder / "logs") as stack:
        for journey in JOURNEYS:
            journey(stack, recorder)
        resources = resources_of(stack, translate(source()), translate(consumer_source()))
    return Evidence(recorder.calls, resources)
