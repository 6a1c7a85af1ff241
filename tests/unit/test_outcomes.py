"""brokerlink.outcomes: an end claims nothing that it was not told."""

from __future__ import annotations

from brokerlink.attempts import Attempt, Status
from brokerlink.outcomes import Callback, Ended, StillRunning
from brokerlink.secret import Secret

ATTEMPT = Attempt(
    attempt_id="a",
    status=Status.FAILED,
    broker="pocketful",
    browser_hash="b",
    redirect_uri="https://login.example.com/callback/pocketful",
    expires_at=1,
    ttl=2,
)


def test_a_callback_of_a_state_alone_reports_nothing() -> None:
    callback = Callback(Secret("state"))
    assert (callback.grant, callback.refusal) == (None, None)


def test_an_end_is_met_and_whole_unless_it_is_said_to_be_made_or_reduced() -> None:
    ended = Ended(ATTEMPT)
    assert ended.here is ended.scope_reduced is False
    assert ended.failure is None


def test_what_is_still_running_has_not_failed() -> None:
    assert StillRunning("a").failure is None
