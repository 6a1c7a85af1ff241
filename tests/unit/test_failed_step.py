"""Every login that fails says in its row at which step: what its event tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from brokerlink.errors import Code, LoginError, Step
from tests.kit.situations import begin, begin_directly
from tests.kit.world import World, pocketful, world


@pytest.fixture
def made() -> Iterator[World]:
    with world() as found:
        yield found


@pytest.mark.parametrize(
    ("step", "code"),
    [(Step.EXCHANGE, Code.GRANT_REJECTED), (Step.IDENTIFY, Code.ACCOUNT_UNKNOWN), (Step.EXCHANGE, Code.BROKER_ERROR)],
)
def test_a_failure_of_the_callbacks_own_has_its_step(made: World, step: Step, code: Code) -> None:
    login = begin_directly(made)
    login.come_back(LoginError(code, step, "told"))
    assert (login.row()["error"], login.row()["failed_step"]) == (code, step)


def test_a_token_that_is_too_long_failed_to_be_encrypted(made: World) -> None:
    login = begin_directly(made)
    login.come_back(*pocketful(token="t" * 5_000))
    assert login.row()["failed_step"] == "encrypt"


def test_a_callback_without_a_grant_failed_at_the_callback(made: World) -> None:
    login = begin_directly(made)
    login.browser.get(f"/callback/pocketful?error=access_denied&state={login.state}")
    assert (login.row()["error"], login.row()["failed_step"]) == ("denied", "callback")


def test_one_that_came_back_too_late_failed_at_the_callback(made: World) -> None:
    login = begin_directly(made)
    made.clock.now += 601
    login.come_back(*pocketful())
    assert (login.row()["error"], login.row()["failed_step"]) == ("expired", "callback")


def test_a_claim_that_ran_out_failed_at_the_exchange(made: World) -> None:
    login = begin_directly(made)
    now = int(made.clock())
    login.rewrite(status="EXCHANGING", claimed_by="another", claim_expires_at=now)
    login.browser.get(login.result)
    assert (login.row()["error"], login.row()["failed_step"]) == ("outcome_unknown", "exchange")


def test_a_hold_that_nobody_confirms_failed_at_the_hold(made: World) -> None:
    login = begin(made)
    login.come_back(*pocketful())
    assert made.confirm(login.attempt_id, "somebody-else").status == 404
    assert (login.row()["error"], login.row()["failed_step"]) == ("account_mismatch", "hold")
