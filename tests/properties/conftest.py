"""Tells at the end of a run how many inputs were tried."""

from __future__ import annotations

import pytest

from tests.properties.tally import TRIED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TRIED:
        terminalreporter.section("inputs tried")
        for what, number in sorted(TRIED.items()):
            terminalreporter.write_line(f"{number:>9,}  {what}")
        terminalreporter.write_line(f"{sum(TRIED.values()):>9,}  in all")
