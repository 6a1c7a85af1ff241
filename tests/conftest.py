"""Nothing that the tests do may reach a real account; and what they share is started once, in one of the processes."""

from __future__ import annotations

import gc
import os
import re
import signal
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from local import moto_shortcuts
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
# A shell has what it runs in the background ignore Ctrl-C, and so would everything that the tests start and stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

moto_shortcuts.install()

# Thousands of tests and the models of a dozen services stay in memory: looking through them for garbage, again and
# again, took a thirtieth of the time.
gc.set_threshold(100_000, 20, 50)

# What is started for these takes seconds, so each folder's tests stay together; all others go wherever there is room.
_ENGINE = re.compile(r"\[(moto|ministack)\b")
TOGETHER = frozenset(
    {
        "artifact",
        "attacks",
        "browser",
        "canaries",
        "contracts",
        "deployed",
        "docs",
        "load",
        "local",
        "local_http",
        "privileges",
        "properties",
        "template",
    }
)


class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist's base is untyped here
    """Keeps together what is started once: the tests on one engine, and those of one folder."""

    def _split_scope(self, nodeid: str) -> str:
        if engine := _ENGINE.search(nodeid):
            return engine[1]
        folder = nodeid.split("/")[1]
        return folder if folder in TOGETHER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TogetherScheduling:
    """Share the tests out; the largest groups begin first."""
    return TogetherScheduling(config, log)


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
