"""Of several exchanges of one grant at the same moment, exactly one succeeds."""

import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from local.simulators import Pkce
from local.simulators.customers import FIVEPAISA_CUSTOMERS, POCKETFUL_CUSTOMERS
from local.simulators.fivepaisa.request_tokens import Refusal, RequestTokens
from local.simulators.pocketful.errors import OAuthError
from local.simulators.pocketful.grants import Consent, Exchange, Grants
from tests.simulators.parties import TurnedClock

ROUNDS = 60
THREADS = 6


@pytest.fixture(autouse=True)
def _eager_switching() -> Iterator[None]:
    """Lets threads interrupt each other as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def at_once[Outcome](act: Callable[[], Outcome]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    barrier = threading.Barrier(THREADS, timeout=10)

    def run() -> None:
        barrier.wait()
        outcomes.append(act())

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return outcomes


def test_an_authorization_code(clock: TurnedClock) -> None:
    grants = Grants(clock)

    def exchange(code: str) -> str | None:
        try:
            return grants.exchange(Exchange("app", Pkce.SUPPORTED, code, redirect_uri="", code_verifier=""))[0]
        except OAuthError:
            return None

    for _ in range(ROUNDS):
        code = grants.issue_code(Consent("app", POCKETFUL_CUSTOMERS[0], "orders", "", ""))
        tokens = [token for token in at_once(partial(exchange, code)) if token is not None]
        assert len(tokens) == 1
        # The others were replays, so they revoked it.
        assert grants.customer_of(tokens[0]) is None


def test_a_request_token(clock: TurnedClock) -> None:
    request_tokens = RequestTokens(clock)
    for _ in range(ROUNDS):
        token = request_tokens.issue("app", FIVEPAISA_CUSTOMERS[0])
        outcomes = at_once(partial(request_tokens.spend, token, "app"))
        assert outcomes.count(Refusal.INVALID) == THREADS - 1
