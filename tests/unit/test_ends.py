"""Where a login ends for its browser, and how its outcome reads as JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brokerlink.attempts import Attempt, Status
from brokerlink.errors import Code
from brokerlink.web.request import WebRequest
from brokerlink.web.responses import Response
from brokerlink.web.site import Site
from ends import end_of, outcome_json, remember

NOW = 1_795_404_600
SITE = Site("https://login.example.com/brokers")
RETURN_TO = "https://app.example.com/done?x=1"
PENDING = Attempt(
    attempt_id="the-attempt",
    status=Status.PENDING,
    broker="pocketful",
    browser_hash="b",
    redirect_uri="https://login.example.com/brokers/callback/pocketful",
    expires_at=NOW + 600,
    ttl=NOW + 4200,
)
EXCHANGING = replace(PENDING, status=Status.EXCHANGING, claimed_by="me", claim_expires_at=NOW + 30)
HELD = replace(PENDING, status=Status.HELD, held_until=NOW + 600, account="YA0002", token_expires_at=NOW + 9000)
CONNECTED = replace(PENDING, status=Status.SUCCEEDED, account="YA0002", token_expires_at=NOW + 9000)
ENDED = replace(CONNECTED, token_expires_at=NOW)
DENIED = replace(PENDING, status=Status.FAILED, error="denied")


@pytest.mark.parametrize("attempt", [PENDING, EXCHANGING])
@pytest.mark.parametrize("return_to", [None, RETURN_TO])
def test_without_an_outcome_the_browser_waits(attempt: Attempt, return_to: str | None) -> None:
    there = replace(attempt, return_to=return_to)
    assert end_of(there, NOW, SITE) == "/brokers/result?attempt=the-attempt&wait=1"


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        (HELD, "status=confirm&broker=pocketful&attempt=the-attempt"),
        (CONNECTED, "status=connected&broker=pocketful&attempt=the-attempt"),
        (DENIED, "status=failed&broker=pocketful&attempt=the-attempt&error=denied"),
        (ENDED, "status=failed&broker=pocketful&attempt=the-attempt&error=expired"),
    ],
)
def test_an_outcome_goes_to_the_platform_or_stays_here(attempt: Attempt, outcome: str) -> None:
    assert end_of(replace(attempt, return_to=RETURN_TO), NOW, SITE) == f"{RETURN_TO}&{outcome}"
    assert end_of(attempt, NOW, SITE) == "/brokers/result?attempt=the-attempt"


def request(*cookies: str) -> WebRequest:
    context = {"http": {"method": "GET"}, "domainName": "login.example.com", "stage": "$default"}
    return WebRequest.from_event(
        {"routeKey": "GET /", "rawPath": "/", "requestContext": context, "cookies": list(cookies)}
    )


def cookies(attempt: Attempt, *sent: str) -> list[str]:
    """Give what the browser is told to keep, without the attributes."""
    told = remember(Response(200), attempt, NOW, request(*sent), SITE)
    return [cookie.split(";")[0] for cookie in told.cookies]


def test_a_success_is_remembered_beside_the_others() -> None:
    new = f"pocketful.{NOW + 9000}"
    assert cookies(CONNECTED) == [f"__Host-brokerlink-links={new}"]
    assert cookies(CONNECTED, f"__Host-brokerlink-links=fivepaisa.{NOW + 1}") == [
        f"__Host-brokerlink-links=fivepaisa.{NOW + 1}~{new}"
    ]
    assert cookies(CONNECTED, f"__Host-brokerlink-links=fivepaisa.{NOW}~pocketful.{NOW + 1}") == [
        f"__Host-brokerlink-links={new}"
    ]


def test_what_the_browser_knows_already_is_not_said_again() -> None:
    assert cookies(CONNECTED, f"__Host-brokerlink-links=pocketful.{NOW + 9000}") == []


@pytest.mark.parametrize("attempt", [PENDING, EXCHANGING, HELD, ENDED, DENIED])
def test_nothing_but_a_success_is_remembered(attempt: Attempt) -> None:
    assert cookies(attempt) == []


@pytest.mark.parametrize(
    ("attempt", "status", "error"),
    [
        (PENDING, "pending", None),
        (EXCHANGING, "in_progress", None),
        (HELD, "confirm", None),
        (DENIED, "failed", Code.DENIED),
        (ENDED, "failed", Code.EXPIRED),
    ],
)
def test_json_tells_no_account_before_the_end_and_none_after_it(
    attempt: Attempt, status: str, error: Code | None
) -> None:
    assert outcome_json(attempt, NOW) == {
        "attempt_id": "the-attempt",
        "broker": "pocketful",
        "status": status,
        "account": None,
        "expires_at": None,
        "error": error,
    }


def test_json_tells_the_account_of_a_live_token_and_its_end() -> None:
    assert outcome_json(CONNECTED, NOW) == {
        "attempt_id": "the-attempt",
        "broker": "pocketful",
        "status": "connected",
        "account": "YA0002",
        "expires_at": NOW + 9000,
        "error": None,
    }
