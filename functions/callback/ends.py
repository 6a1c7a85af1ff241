"""Where a login ends for its browser, and how its outcome reads as JSON."""

from __future__ import annotations

from brokerlink.attempts import Attempt, Standing
from brokerlink.web.request import WebRequest
from brokerlink.web.responses import Response
from brokerlink.web.return_to import with_outcome
from brokerlink.web.site import Site

_STATUS_AT_END = {Standing.CONNECTED: "connected", Standing.FAILED: "failed", Standing.CONFIRM: "confirm"}


def end_of(attempt: Attempt, now: int, site: Site) -> str:
    """Give the URL at which the attempt's browser ends; the waiting page while there is no outcome."""
    standing, code = attempt.standing(now)
    if standing not in _STATUS_AT_END:
        return site.path("/result", attempt=attempt.attempt_id, wait="1")
    if attempt.return_to is None:
        return site.path("/result", attempt=attempt.attempt_id)
    outcome = {"status": _STATUS_AT_END[standing], "broker": attempt.broker, "attempt": attempt.attempt_id}
    return with_outcome(attempt.return_to, outcome if code is None else outcome | {"error": code})


def remember(response: Response, attempt: Attempt, now: int, request: WebRequest, site: Site) -> Response:
    """Let the home page of this browser show a successful link."""
    if attempt.standing(now)[0] is not Standing.CONNECTED or attempt.token_expires_at is None:
        return response
    links = site.cookies.links(request.cookies, now)
    if links.get(attempt.broker) == attempt.token_expires_at:
        return response
    return response.with_cookies(site.cookies.keep_links(links | {attempt.broker: attempt.token_expires_at}))


def outcome_json(attempt: Attempt, now: int) -> dict[str, str | int | None]:
    """Give what `/attempts` and `/result` have in common; the account, unmasked, and expiry of a live token only."""
    standing, code = attempt.standing(now)
    connected = standing is Standing.CONNECTED
    return {
        "attempt_id": attempt.attempt_id,
        "broker": attempt.broker,
        "status": standing,
        "account": attempt.account if connected else None,
        "expires_at": attempt.token_expires_at if connected else None,
        "error": code,
    }
