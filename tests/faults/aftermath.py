"""What happens after a fault or a crash: time passes, requests are made again, and the customer gets there."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.invariants import check, no_attempt_is_left_open, tokens_and_events_agree
from tests.faults.journey import CLAIM_SECONDS, Journey
from tests.faults.steps import Request
from tests.kit import emulated


@dataclass(frozen=True)
class Ending:
    """The page on which a login ends by itself, and what announce makes of its token."""

    page: str
    event: str


def live_through(journey: Journey, request: Request, *, resent: int = 0) -> Ending:
    """Let the claim's time pass, the customer look, and `request` come again; give how the login ends.

    The way forward of a login that failed is taken to the broker. The stream drains, and is delivered once more. Raises
    `AssertionError` where an invariant does not hold.
    """
    journey.scene.clock.now += CLAIM_SECONDS
    if journey.attempt_id:
        assert journey.look().page not in {"waiting", "none"}, "an attempt is open past its claim"
    if request(journey).page == "broker":
        journey.come_back()
    end = _end(journey) if journey.attempt_id else "none"
    if end != "connected" and journey.attempt_id:
        _go_on(journey)
    return Ending(end, _drain(journey, resent))


def log_in_after(journey: Journey, request: Request) -> None:
    """Let the claim's time pass and `request` come again, and walk from where that leads to a login that succeeds.

    The stream is delivered as above. Raises `AssertionError` where an invariant does not hold.
    """
    journey.scene.clock.now += CLAIM_SECONDS
    request(journey)
    no_attempt_is_left_open(journey.scene)
    if journey.attempt_id and _end(journey) != "connected":
        _go_on(journey)
        journey.come_back()
        assert _end(journey) == "connected", "the way forward does not lead to a login"
    _drain(journey)


def _go_on(journey: Journey) -> None:
    assert journey.go_on().page == "broker", "the way forward does not lead to the broker"


def _drain(journey: Journey, resent: int = 0) -> str:
    journey.scene.drain()
    event = "dead letter" if emulated.letters() else "yes" if emulated.events() else "no"
    tokens_and_events_agree(journey.scene)
    journey.scene.replay()
    check(journey, resent=resent)
    return event


def _end(journey: Journey) -> str:
    page = journey.look().page
    return journey.confirm().page if page == "one step left" else page
