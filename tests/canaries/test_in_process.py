"""Every path in this process: what is answered, asked, told and printed, how values and exceptions show themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest
from moto import mock_aws

from brokerlink.errors import Code
from tests.canaries import aside, crashes, settings
from tests.canaries.brokers import BROKERS
from tests.canaries.canaries import Canaries, Kind
from tests.canaries.failures import FAILURES
from tests.canaries.in_process import InProcess, listening
from tests.canaries.inside import Inside, dataclasses_of_the_product, errors_of_the_product, looking_inside
from tests.canaries.paths import PATHS, entered_by_a_form, failing
from tests.canaries.places import RIGHTFUL
from tests.canaries.seen import Seen
from tests.canaries.walk import Walk

_WHOLE: Final = frozenset({"pocketful", "fivepaisa", "acme"})
_SHORT: Final = frozenset({PATHS["connected"], PATHS["bounced"], PATHS["declined"]})


@dataclass
class Walked:
    """What came of it."""

    canaries: Canaries
    seen: Seen
    inside: Inside
    routes: set[str]


@pytest.fixture(scope="module")
def walked() -> Walked:
    canaries = Canaries()
    seen = Seen(canaries)
    with listening() as printed, looking_inside(seen) as inside:
        with mock_aws():
            site = InProcess()
            walk_every_path(site, canaries, seen)
            break_everything(site, canaries, seen)
            aside.the_wire(canaries)
            aside.the_reader(site, Walk(site, seen, canaries, BROKERS["pocketful"], "the reader"))
            aside.the_announcement(site, canaries, seen)
        with mock_aws():
            by_form = InProcess({"fivepaisa": {"vendor_key": "vendor-key", "login_method": "post"}})
            entered_by_a_form(Walk(by_form, seen, canaries, BROKERS["fivepaisa"], "entered by a form"))
    for stream in (printed, site.world.log, by_form.world.log):
        for line in stream.getvalue().splitlines():
            seen.note("log", line)
    return Walked(canaries, seen, inside, {route for each in site.world.functions.values() for route in each.routes})


def walk_every_path(site: InProcess, canaries: Canaries, seen: Seen) -> None:
    for broker in BROKERS.values():
        for title, path in PATHS.items():
            if broker.id in _WHOLE or path in _SHORT:
                path(Walk(site, seen, canaries, broker, title))
    for title, failure in FAILURES.items():
        for name in sorted(failure.brokers) if not failure.on_the_wire else ():
            failing(title, Walk(site, seen, canaries, BROKERS[name], title))


def break_everything(site: InProcess, canaries: Canaries, seen: Seen) -> None:
    def walk(broker: str, title: str) -> Walk:
        return Walk(site, seen, canaries, BROKERS[broker], title)

    for operation in crashes.OPERATIONS:
        for error in crashes.ERRORS:
            crashes.broken_login(walk("pocketful", f"{operation}: {error}"), site, operation, error)
        crashes.broken_login(walk("fivepaisa", f"{operation}: crash"), site, operation, "crash")
    for broker in ("pocketful", "fivepaisa"):
        crashes.crash_at_the_broker(walk(broker, "crash at the broker"))
        crashes.nothing_is_sent(walk(broker, "nothing is sent"))
        crashes.too_slow(walk(broker, "too slow"), site)
        crashes.overtaken(walk(broker, "overtaken"), site)
    crashes.half_an_answer(canaries)
    crashes.unreadable_secrets(canaries, site, lambda broker: walk(broker, "unreadable secret"))
    settings.wrong_settings(site, canaries, walk("pocketful", "wrong settings").get)


def test_no_secret_is_anywhere_but_in_its_place(walked: Walked) -> None:
    assert walked.seen.leaks() == []
    assert walked.seen.used == set(RIGHTFUL), "a place that is not needed any more is to be taken from the list"


def test_every_kind_of_secret_was_there(walked: Walked) -> None:
    assert {*walked.canaries.kinds.values()} == {*Kind} - {Kind.CREDENTIALS}


def test_every_route_was_asked(walked: Walked) -> None:
    assert {f"headers of {route}" for route in walked.routes} <= walked.seen.places


def test_every_failure_was_met(walked: Walked) -> None:
    told = walked.seen.text_of("JSON of GET /result") + walked.seen.text_of("Location of GET /callback/{broker}")
    log = walked.seen.text_of("log")
    assert {code for code in Code if code in told or f'"code":"{code}"' in log} == {*Code}


def test_every_dataclass_was_made(walked: Walked) -> None:
    assert dataclasses_of_the_product() - walked.inside.made == set()


def test_every_exception_of_ours_was_raised(walked: Walked) -> None:
    assert errors_of_the_product() - walked.inside.raised == set()


def test_everything_that_could_be_was_logged(walked: Walked) -> None:
    log = walked.seen.text_of("log")
    for said in ("started", "connected", "held", "failed", "refused", "misconfigured", "storage", "crashed"):
        assert f'"message":"{said}"' in log, said
    for said in ("publish", "unpublishable"):
        assert f'"message":"{said}"' in log, said
    assert '"CloudWatchMetrics"' in log
