"""Somebody who reads a world's log and counts its metrics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brokerlink.telemetry import SUCCESS
from tests.kit.world import World


class Operator:
    """What was logged and counted since the last time that somebody looked."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.capsys = capsys
        self.read = 0

    def lines(self) -> list[dict[str, Any]]:
        lines = self.world.lines()[self.read :]
        self.read += len(lines)
        return lines

    def counted(self) -> list[tuple[str, str]]:
        """Give the metrics' names, each with the broker that it is counted for."""
        printed = [json.loads(line) for line in self.capsys.readouterr().out.splitlines()]
        return [
            (each["Name"], line["broker"])
            for line in printed
            for each in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
            if each["Name"] != SUCCESS
        ]

    def metrics(self) -> list[str]:
        return [name for name, _ in self.counted()]

    def look_away(self) -> None:
        """Let what happened so far be known."""
        self.lines()
        self.counted()
