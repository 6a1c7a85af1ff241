"""All journeys, walked once, and what they asked of AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.privileges.calls import Call
from tests.privileges.journeys import JOURNEYS
from tests.privileges.resources import Resources
from tests.privileges.roles import EVERYTHING_TOLD
from tests.privileges.watch import watched


@dataclass(frozen=True)
class Evidence:
    """The calls that were made, each with how often, and the ARNs of what they were made on."""

    calls: Mapping[Call, int]
    resources: Resources


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    folder = tmp_path_factory.mktemp("stack")
    settings: dict[str, Any] = {
        "brokers_file": folder / "brokers.local.toml",
        "logs": folder / "logs",
        "parameters": EVERYTHING_TOLD,
    }
    with watched(**settings) as running:
        for journey in JOURNEYS:
            journey(running.stack, running.recorder)
    return Evidence(running.recorder.calls, running.resources)
