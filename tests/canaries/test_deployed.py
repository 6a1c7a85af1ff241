"""The whole local stack, its functions under AWS's own runtime client with all debugging on: what comes out of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import pytest

from tests.canaries import mishaps
from tests.canaries.brokers import BROKERS, good
from tests.canaries.canaries import Canaries, Kind
from tests.canaries.deployed import Deployed
from tests.canaries.failures import FAILURES
from tests.canaries.paths import PATHS, connected, declined, failing
from tests.canaries.seen import Seen
from tests.canaries.walk import Walk

pytest.importorskip("awslambdaric", reason="awslambdaric is not installed (Linux only)")

# How long an event may take to its consumer on a busy machine.
_SECONDS: Final = 60.0
_LEVELS: Final = ("INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass
class Walked:
    """What came of it."""

    canaries: Canaries
    seen: Seen


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    canaries = Canaries()
    seen = Seen(canaries)
    with closing(Deployed(canaries, tmp_path_factory.mktemp("canaries"))) as site:
        site.start()
        walk_everything(site, canaries, seen)
        for who, line in site.logged():
            words = [word for word in canaries.of(Kind.STRANGERS_WORDS) if str(word) in line]
            seen.note(f"log of {who}", line, own={Kind.STRANGERS_WORDS: words})
    return Walked(canaries, seen)


def walk_everything(site: Deployed, canaries: Canaries, seen: Seen) -> None:
    def walk(broker: str = "pocketful", title: str = "") -> Walk:
        return Walk(site, seen, canaries, BROKERS[broker], title)

    for broker in ("pocketful", "fivepaisa"):
        for title, path in PATHS.items():
            path(walk(broker, title))
    connected(walk("acme", "connected"))
    for title, failure in FAILURES.items():
        for broker in sorted({"pocketful", "fivepaisa"} & set(failure.brokers)) if not failure.slow else ():
            failing(title, walk(broker, title))
    mishaps.refused_calls(site, walk)
    mishaps.broken_row(site, walk(title="broken row"))
    mishaps.poison(site, canaries)
    mishaps.events_that_are_none(site, canaries)
    mishaps.starts_that_fail(site, canaries, seen)
    for level in _LEVELS:
        with site.at_level(level):
            at_a_level(site, level, walk)
    last = walk(title="last").start()
    last.come_back(*good(canaries, last.broker))
    site.stack.received.wait_for(lambda event: bool(event["id"] == last.attempt), _SECONDS)
    mishaps.dead_letters(site, seen)
    mishaps.announced_again(site, seen)


def at_a_level(site: Deployed, level: str, walk: Callable[[str, str], Walk]) -> None:
    """Walk what is logged at each level: as it should be, refused, an operator's matter, broken."""
    connected(walk("pocketful", f"connected at {level}"))
    declined(walk("pocketful", f"declined at {level}"))
    failing("invalid_client", walk("pocketful", f"invalid_client at {level}"))
    mishaps.broken_row(site, walk("pocketful", f"broken row at {level}"))


def test_no_secret_comes_out_of_it(walked: Walked) -> None:
    assert walked.seen.leaks() == []


@pytest.mark.parametrize("function", ["authorize", "callback", "announce", "connections", "remind", "consumer"])
def test_debugging_was_on(walked: Walked, function: str) -> None:
    log = walked.seen.text_of(f"log of {function}")
    assert "POWERTOOLS_DEBUG environment variable is enabled" in log
    assert "POWERTOOLS_DEV environment variable is enabled" in log
    assert "Setting log level to DEBUG due to sampling rate" in log
    assert '"level": "DEBUG"' in log, "the root logger"


def test_what_failed_was_told_of(walked: Walked) -> None:
    log = walked.seen.text_of
    assert "crashed" in log("log of callback")
    assert "unpublishable" in log("log of announce")
    assert "KeyError" in log("log of announce"), "an exception that the runtime prints"
    assert "an event could not be handled" in log("log of consumer")
    assert "malformed" in log("dead letter")


@pytest.mark.parametrize("level", _LEVELS)
def test_other_levels_were_tried(walked: Walked, level: str) -> None:
    log = walked.seen.text_of(f"log of CallbackFunction-{level}")
    lines = {each for each in ("INFO", "WARNING", "ERROR") if f'"level": "{each}"' in log}
    assert lines == {each for each in ("INFO", "ERROR") if logging.getLevelName(each) >= logging.getLevelName(level)}
    assert "CloudWatchMetrics" in log
