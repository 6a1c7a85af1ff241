"""A callback from its arrival to the claim: what has to be ready, who may touch what, and what is answered instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from brokerlink.attempts import Status
from brokerlink.errors import Code, Step
from brokerlink.outbound import Answer, Request
from brokerlink.outcomes import Ended, Finished, NothingConsumed, StillRunning, Unattributable, WrongBrowser
from brokerlink.secret import Secret
from brokerlink.storage import StorageError
from tests.kit.core import ACCOUNT, PAISA_ACCOUNT, Core, Trip, account_answer, core, jwt, paisa_answer, token_answer
from tests.kit.wire import Fault, after, down, lost, pass_through, refused, resent
from tests.kit.world import MORNING, SECRETS

UNREADABLE = [" ", "canary", "[]", "null", "{", '"canary"', "[" * 100_000]
STRANGER = Secret("another-browser")


@pytest.fixture
def world() -> Iterator[Core]:
    with core() as running:
        yield running


def status(world: Core, trip: Trip) -> object:
    return world.row(trip).get("status")


def nothing_consumed(finished: Finished, code: Code) -> bool:
    return isinstance(finished, NothingConsumed) and finished.failure.code is code


def succeeds(world: Core, trip: Trip) -> bool:
    """Say whether the genuine callback still ends well."""
    world.wire.mend()
    world.http.script.clear()
    world.good_answers()
    finished = world.callback(trip)
    return isinstance(finished, Ended) and finished.attempt.status is Status.SUCCEEDED


def test_a_login_from_callback_to_token(world: Core) -> None:
    trip = world.directly()
    world.good_answers()
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.here
    assert finished.failure is None
    assert finished.attempt.status is Status.SUCCEEDED
    assert finished.attempt.to_item() == world.row(trip)
    assert [token["account"] for token in world.tokens()] == [ACCOUNT]


@pytest.mark.parametrize(
    ("broker", "answers"),
    [("pocketful", [token_answer(), account_answer()]), ("fivepaisa", [paisa_answer()])],
)
def test_the_exchanges_connection_is_opened_before_the_claim(world: Core, broker: str, answers: list[Answer]) -> None:
    trip = world.directly(broker)
    opened: list[str] = []
    world.wire.meet("UpdateItem", after(lambda: opened.extend(world.http.opened)))
    world.http.line_up(*answers)
    budget = world.budget()
    world.callback(trip)
    assert opened == [world.http.sent[0].url]
    assert world.http.opening_deadlines == [budget.answer_by - 5]


def test_a_callback_that_has_nothing_to_hand_in_opens_none(world: Core) -> None:
    world.come_back_empty(world.directly())
    assert not world.http.opened


def test_the_steps_come_in_their_order(world: Core) -> None:
    trip = world.directly()
    steps: list[str] = []

    def note(step: str, answer: Answer) -> Callable[[Request], Answer]:
        def take(_: Request) -> Answer:
            steps.append(step)
            return answer

        return take

    world.secrets_wire.meet("GetSecretValue", after(lambda: steps.append("ready")))
    world.wire.meet("UpdateItem", after(lambda: steps.append("claim")))
    world.http.line_up(note("exchange", token_answer()), note("identify", account_answer()))
    world.kms_wire.meet("Encrypt", after(lambda: steps.append("encrypt")))
    world.wire.meet("TransactWriteItems", after(lambda: steps.append("commit")))
    world.callback(trip)
    assert steps == ["ready", "claim", "exchange", "identify", "encrypt", "commit"]


# 0 ready: nothing is consumed


@pytest.mark.parametrize(
    "secrets",
    [
        *(pytest.param(text, id=f"unreadable {text[:8]}") for text in UNREADABLE),
        pytest.param({}, id="missing"),
        pytest.param({"pocketful": {}}, id="missing value"),
        pytest.param({"pocketful": {"client_secret": ""}}, id="empty"),
        pytest.param({"pocketful": {"client_secret": 7}}, id="a number"),
        pytest.param({"pocketful": {"client_secret": "canary\n"}}, id="with its line break"),
        pytest.param({"pocketful": "canary"}, id="no object"),
        pytest.param({"fivepaisa": SECRETS["fivepaisa"]}, id="another broker's alone"),
    ],
)
def test_missing_or_malformed_secret_leaves_the_attempt_pending(secrets: Any) -> None:
    with core(secrets=secrets) as world:
        trip = world.directly()
        finished = world.callback(trip)
        assert nothing_consumed(finished, Code.APP_MISCONFIGURED)
        assert "canary" not in str(finished)
        assert world.wire.made("UpdateItem") == []
        assert world.http.sent == []
        assert status(world, trip) == "PENDING"


def test_the_same_callback_succeeds_once_the_secret_is_mended() -> None:
    with core(secrets="{}") as world:
        trip = world.directly()
        assert nothing_consumed(world.callback(trip), Code.APP_MISCONFIGURED)
        world.secretsmanager.put_secret_value(SecretId=world.secret, SecretString=json.dumps(SECRETS))
        assert succeeds(world, trip)


@pytest.mark.parametrize("fault", [down, refused("InternalServiceError"), refused("ThrottlingException")])
def test_a_secret_that_cannot_be_fetched_just_now_is_busy(world: Core, fault: Fault) -> None:
    trip = world.directly()
    world.secrets_wire.meet("GetSecretValue", fault)
    assert nothing_consumed(world.callback(trip), Code.BUSY)
    assert world.wire.made("UpdateItem") == []
    assert succeeds(world, trip)


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ResourceNotFoundException", "DecryptionFailure", "InvalidRequestException"]
)
def test_a_secret_that_we_may_not_read_is_a_misconfiguration(world: Core, code: str) -> None:
    trip = world.directly()
    world.secrets_wire.meet("GetSecretValue", refused(code))
    assert nothing_consumed(world.callback(trip), Code.APP_MISCONFIGURED)
    assert succeeds(world, trip)


def test_too_little_time_consumes_nothing(world: Core) -> None:
    trip = world.directly()
    assert nothing_consumed(world.callback(trip, seconds=5.9), Code.BUSY)
    assert world.wire.made("UpdateItem") == []
    assert succeeds(world, trip)


def test_just_enough_time_is_used(world: Core) -> None:
    trip = world.directly()
    world.good_answers()
    assert isinstance(world.callback(trip, seconds=6.0), Ended)


def test_what_is_not_ready_tells_a_stranger_nothing_more(world: Core) -> None:
    trip = world.directly()
    world.secrets_wire.meet_all("GetSecretValue", down)
    assert world.callback(trip, browser_key=STRANGER) == WrongBrowser()
    world.remove(trip)
    assert world.callback(trip) == Unattributable()


def test_what_is_not_ready_still_shows_an_outcome_that_there_is(world: Core) -> None:
    trip = world.directly()
    world.come_back_empty(trip, Code.DENIED)
    world.secrets_wire.meet_all("GetSecretValue", down)
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.attempt.error == "denied"
    assert not finished.here


def test_what_is_not_ready_after_the_deadline_ends_the_attempt(world: Core) -> None:
    trip = world.directly()
    world.clock.now = trip.expires_at
    world.secrets_wire.meet_all("GetSecretValue", down)
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert world.row(trip)["error"] == "expired"


# 1 claim


def test_claim_lasts_as_long_as_the_invocation_and_five_seconds(world: Core) -> None:
    trip = world.directly()
    world.clock.now += 0.25
    world.good_answers()
    world.callback(trip)
    assert world.row(trip)["claim_expires_at"] == MORNING + 28 + 5 + 1


def test_claim_that_the_sdk_sent_twice_is_won(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("UpdateItem", resent)
    assert succeeds(world, trip)
    assert len(world.tokens()) == 1


@pytest.mark.parametrize(
    "fault",
    [down, refused("ThrottlingException"), refused("AccessDeniedException")],
    ids=["down", "throttled", "denied"],
)
def test_claim_that_was_not_written_consumes_nothing(world: Core, fault: Fault) -> None:
    trip = world.directly()
    world.wire.meet("UpdateItem", fault)
    finished = world.callback(trip)
    assert nothing_consumed(finished, Code.BUSY)
    assert isinstance(finished, NothingConsumed)
    assert finished.failure.step is Step.CLAIM
    assert world.http.sent == []
    assert succeeds(world, trip)


def test_claim_whose_answer_was_lost_is_given_back(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("UpdateItem", lost)
    assert nothing_consumed(world.callback(trip), Code.BUSY)
    assert status(world, trip) == "PENDING"
    assert "claimed_by" not in world.row(trip)
    assert succeeds(world, trip)


def test_claim_that_can_neither_be_known_nor_given_back_runs_out(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("UpdateItem", lost, down)
    assert nothing_consumed(world.callback(trip), Code.BUSY)
    assert world.callback(trip) == StillRunning(trip.attempt_id)
    world.clock.now = world.row(trip)["claim_expires_at"]
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert world.row(trip)["error"] == "outcome_unknown"
    assert world.http.sent == []


def test_claim_that_meets_a_transaction_waits_for_it(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("UpdateItem", refused("TransactionConflictException"))
    finished = world.callback(trip)
    assert isinstance(finished, StillRunning)
    assert finished.failure is not None
    assert (finished.failure.code, finished.failure.step) == (Code.BUSY, Step.CLAIM)
    assert succeeds(world, trip)


@pytest.mark.parametrize("early", [1, 0], ids=["last second", "at the second"])
def test_claim_is_made_before_the_attempts_deadline(world: Core, early: int) -> None:
    trip = world.directly()
    world.clock.now = trip.expires_at - early
    world.good_answers()
    world.callback(trip)
    assert status(world, trip) == ("SUCCEEDED" if early else "FAILED")
    assert bool(world.http.sent) is bool(early)


# who may touch what


def test_login_csrf_callback_in_another_browser_leaves_the_attempt_unharmed(world: Core) -> None:
    trip = world.directly()
    assert world.callback(trip, browser_key=STRANGER) == WrongBrowser()
    assert world.come_back_empty(trip, Code.DENIED, browser_key=STRANGER) == WrongBrowser()
    assert world.http.sent == []
    assert succeeds(world, trip)


def test_mix_up_state_of_one_broker_at_anothers_callback_is_unknown(world: Core) -> None:
    trip = world.directly()
    elsewhere = Trip(world.brokers["fivepaisa"], trip.state, trip.attempt_id, trip.browser_key, trip.expires_at)
    assert world.callback(elsewhere) == Unattributable()
    assert world.come_back_empty(elsewhere) == Unattributable()
    # Not even the right browser is told from a wrong one.
    assert world.callback(elsewhere, browser_key=STRANGER) == Unattributable()
    assert succeeds(world, trip)


@pytest.mark.parametrize("change", [str.swapcase, lambda state: state[:-1] + "z", lambda _: "A" * 43])
def test_a_state_that_is_not_exactly_ours_is_unknown(world: Core, change: Callable[[str], str]) -> None:
    trip = world.directly()
    state = change(trip.state.reveal())
    assert state != trip.state.reveal()
    forged = Trip(trip.broker, Secret(state), trip.attempt_id, trip.browser_key, trip.expires_at)
    assert world.callback(forged) == Unattributable()
    assert world.come_back_empty(forged) == Unattributable()
    assert succeeds(world, trip)


def test_replay_after_the_row_is_gone_is_unknown(world: Core) -> None:
    trip = world.directly()
    world.remove(trip)
    assert world.callback(trip) == Unattributable()
    assert world.come_back_empty(trip) == Unattributable()
    assert world.row(trip) == {}


# duplicates


def test_replayed_callback_shows_the_same_success_and_exchanges_nothing(world: Core) -> None:
    trip = world.directly()
    world.good_answers()
    first = world.callback(trip)
    sent = len(world.http.sent)
    second = world.callback(trip, "another-grant")
    assert isinstance(first, Ended)
    assert isinstance(second, Ended)
    assert second.attempt == first.attempt
    assert not second.here
    assert len(world.http.sent) == sent
    assert len(world.tokens()) == 1


def test_replay_from_another_browser_after_success_is_refused(world: Core) -> None:
    trip = world.directly()
    world.good_answers()
    world.callback(trip)
    assert world.callback(trip, browser_key=STRANGER) == WrongBrowser()


def test_callbacks_while_the_first_is_at_the_broker_wait_for_it(world: Core) -> None:
    trip = world.directly()
    meanwhile: list[Finished] = []

    def at_the_broker(_: Request) -> Answer:
        meanwhile.extend(world.callback(trip) for _ in range(20))
        meanwhile.append(world.come_back_empty(trip, Code.DENIED))
        return token_answer()

    world.http.line_up(at_the_broker, account_answer())
    assert isinstance(world.callback(trip), Ended)
    assert meanwhile == [StillRunning(trip.attempt_id)] * 21
    assert len(world.http.sent) == 2
    assert len(world.tokens()) == 1


def test_a_failed_attempt_never_exchanges_again(world: Core) -> None:
    trip = world.directly()
    world.come_back_empty(trip, Code.DENIED)
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.attempt.error == "denied"
    assert not finished.here
    assert world.http.sent == []


# the clock


def test_crash_after_the_claim_ends_as_outcome_unknown_at_its_second(world: Core) -> None:
    trip = world.directly()
    world.crash_after_claim(trip)
    world.clock.now = world.row(trip)["claim_expires_at"] - 1
    assert world.callback(trip) == StillRunning(trip.attempt_id)
    world.clock.now += 1
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.here
    assert finished.attempt.error == world.row(trip)["error"] == "outcome_unknown"
    assert world.http.sent == []
    assert world.tokens() == []


def test_a_run_out_claim_is_told_once(world: Core) -> None:
    trip = world.directly()
    world.crash_after_claim(trip)
    world.clock.now += 100
    first, second = world.callback(trip), world.callback(trip)
    assert isinstance(first, Ended)
    assert isinstance(second, Ended)
    assert (first.here, second.here) == (True, False)
    assert first.attempt == second.attempt


def test_a_rivals_end_of_a_run_out_claim_is_not_told_as_mine(world: Core) -> None:
    trip = world.directly()
    world.crash_after_claim(trip)
    claim = world.others.read(trip.attempt_id)
    assert claim is not None
    world.clock.now += 100
    # The claim's own try comes first, then the write that settles.
    world.wire.meet("UpdateItem", pass_through, after(lambda: world.others.settle(claim, world.now)))
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.attempt.error == "outcome_unknown"
    assert not finished.here


def test_a_run_out_claim_whose_row_is_removed_meanwhile_is_told_as_it_was_met(world: Core) -> None:
    trip = world.directly()
    world.crash_after_claim(trip)
    met = world.others.read(trip.attempt_id)
    assert met is not None
    world.clock.now += 100
    world.wire.meet("UpdateItem", pass_through, after(lambda: world.remove(trip)))
    assert world.callback(trip) == Ended(met, here=False)
    assert world.row(trip) == {}


def test_a_run_out_claim_tells_another_browser_nothing(world: Core) -> None:
    trip = world.directly()
    world.crash_after_claim(trip)
    before = world.row(trip)
    world.clock.now += 100
    assert world.callback(trip, browser_key=STRANGER) == WrongBrowser()
    assert world.row(trip) == before


def test_a_held_login_that_ran_out_loses_its_ciphertext_to_a_late_callback(world: Core) -> None:
    trip = world.hold()
    world.clock.now = world.row(trip)["held_until"]
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.attempt.error == "expired"
    assert "ciphertext" not in world.row(trip)


# no usable grant


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        pytest.param(Code.DENIED, "denied", id="declined"),
        pytest.param(Code.BROKER_UNAVAILABLE, "broker_unavailable", id="broker's error"),
        pytest.param(Code.APP_MISCONFIGURED, "app_misconfigured", id="our mistake"),
        pytest.param(None, "invalid_request", id="neither grant nor error"),
    ],
)
def test_a_callback_without_a_grant_ends_the_attempt(world: Core, refusal: Code | None, code: str) -> None:
    trip = world.directly()
    finished = world.come_back_empty(trip, refusal)
    assert isinstance(finished, Ended)
    assert finished.here
    assert finished.failure is not None
    assert finished.failure.code == finished.attempt.error == code
    assert world.row(trip)["status"] == "FAILED"
    assert "code_verifier" not in world.row(trip)
    assert world.secrets_wire.calls == []


def test_a_refusal_after_the_deadline_is_expired(world: Core) -> None:
    trip = world.directly()
    world.clock.now = trip.expires_at
    finished = world.come_back_empty(trip, Code.DENIED)
    assert isinstance(finished, Ended)
    assert finished.attempt.error == "expired"
    assert finished.here


@pytest.mark.parametrize("repeated", [resent, lost], ids=["by the SDK", "by the browser"])
def test_a_refusal_whose_answer_was_lost_is_told_all_the_same(world: Core, repeated: Fault) -> None:
    trip = world.directly()
    world.wire.meet("UpdateItem", repeated)
    if repeated is lost:
        with pytest.raises(StorageError):
            world.come_back_empty(trip, Code.DENIED)
    finished = world.come_back_empty(trip, Code.DENIED)
    assert isinstance(finished, Ended)
    assert finished.attempt.error == "denied"
    # Where the browser repeats it, the callback that wrote it has told of a table that did not answer.
    assert finished.here is (repeated is resent)


def test_a_refusal_that_meets_a_transaction_waits_for_it(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("UpdateItem", refused("TransactionConflictException"))
    finished = world.come_back_empty(trip, Code.DENIED)
    assert isinstance(finished, StillRunning)
    assert finished.failure is not None
    assert (finished.failure.code, finished.failure.step) == (Code.DENIED, Step.CALLBACK)
    assert status(world, trip) == "PENDING"


@pytest.mark.parametrize(
    ("age", "sent"),
    [
        pytest.param(-2, True, id="two seconds left"),
        pytest.param(0, True, id="just over: the broker decides"),
        pytest.param(60, True, id="within the clocks' skew"),
        pytest.param(61, False, id="past it"),
        pytest.param(3600, False, id="long past it"),
    ],
)
def test_a_request_token_is_sent_until_a_minute_after_its_exp(world: Core, age: int, *, sent: bool) -> None:
    trip = world.for_user("fivepaisa", account=PAISA_ACCOUNT)
    world.http.line_up(paisa_answer())
    finished = world.callback(trip, jwt({"exp": world.now - age}))
    assert isinstance(finished, Ended)
    assert bool(world.http.sent) is sent
    assert world.row(trip).get("error") == (None if sent else "expired")


def test_an_exp_far_ahead_lengthens_nothing(world: Core) -> None:
    trip = world.for_user("fivepaisa", account=PAISA_ACCOUNT)
    world.http.line_up(paisa_answer())
    budget = world.budget()
    world.callback(trip, jwt({"exp": world.now + 3600}))
    assert world.http.deadlines == [budget.answer_by - 5]


# storage down where nothing can be known


def test_no_table_at_a_refusal(world: Core) -> None:
    trip = world.directly()
    world.wire.meet("UpdateItem", down)
    with pytest.raises(StorageError):
        world.come_back_empty(trip, Code.DENIED)
    assert status(world, trip) == "PENDING"


def test_no_table_where_not_even_the_secret_is_ready(world: Core) -> None:
    trip = world.directly()
    world.secrets_wire.meet("GetSecretValue", down)
    world.wire.meet("GetItem", down)
    with pytest.raises(StorageError):
        world.callback(trip)
    assert succeeds(world, trip)


def test_no_table_while_a_run_out_claim_is_settled(world: Core) -> None:
    trip = world.directly()
    world.crash_after_claim(trip)
    world.clock.now += 100
    world.wire.meet("UpdateItem", pass_through, down)
    with pytest.raises(StorageError):
        world.callback(trip)
    assert isinstance(world.callback(trip), Ended)
    assert world.row(trip)["error"] == "outcome_unknown"
