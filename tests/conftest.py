"""Nothing that the tests do may reach a real account; and what they share is started once, in one of two processes."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.properties.tally import TRIED

os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_DEFAULT_REGION": "ap-south-1",
        "AWS_REGION": "ap-south-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
)
os.environ.pop("AWS_PROFILE", None)
os.environ.pop("AWS_ENDPOINT_URL", None)

# What is started for these takes seconds, so each folder's tests stay together; all others go wherever there is room.
TOGETHER = frozenset(
    {
        "artifact",
        "attacks",
        "browser",
        "canaries",
        "deployed",
        "load",
        "local",
        "local_http",
        "privileges",
        "properties",
    }
)


# First, because pytest-xdist reads the marks in a hook of the same name.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tell pytest-xdist which tests belong together: those on one engine, and those of one folder."""
    tests = config.rootpath / "tests"
    for item in items:
        folder = item.path.relative_to(tests).parts[0] if item.path.is_relative_to(tests) else ""
        parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        if "engine" in parameters:
            item.add_marker(pytest.mark.xdist_group(str(parameters["engine"])))
        elif folder in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(folder))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the number of inputs that were tried to the process that reports."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tried"] = dict(TRIED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what was tried in each process."""
    TRIED.update(getattr(node, "workeroutput", {}).get("tried", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell at the end of a run how many inputs were tried."""
    if TRIED:
        terminalreporter.section("inputs tried")
        for what, number in sorted(TRIED.items()):
            terminalreporter.write_line(f"{number:>9,}  {what}")
        terminalreporter.write_line(f"{sum(TRIED.values()):>9,}  in all")
