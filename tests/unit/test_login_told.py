"""What each way in which a login can fail says of itself: the attempt, the code, the step, and a reason to look for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from brokerlink.errors import Code, Step
from brokerlink.outbound import Answer, AnswerTooLarge, NoAnswer, NotSent, Request
from brokerlink.outcomes import Ended, Finished, NothingConsumed, StillRunning
from tests.kit.core import ACCOUNT, PAISA_ACCOUNT, Core, Trip, core, jwt, token_answer
from tests.kit.wire import after, down, misread, pass_through, refused
from tests.kit.world import MORNING, SECRETS, answer

INVALID_CLIENT = answer({"error": "invalid_client"}, 401)
CONFLICT = refused("TransactionConflictException")


@pytest.fixture
def world() -> Iterator[Core]:
    with core() as running:
        yield running


def pocketful(*steps: Answer | Exception | Callable[[Request], Answer]) -> Callable[[Core, Trip], Finished]:
    """Give a callback after which Pocketful does these things."""

    def bring(world: Core, trip: Trip) -> Finished:
        world.http.line_up(*steps)
        return world.callback(trip)

    return bring


def without_a_secret(world: Core, trip: Trip) -> Finished:
    world.secretsmanager.put_secret_value(SecretId=world.secret, SecretString="{}")
    return world.callback(trip)


def without_time(world: Core, trip: Trip) -> Finished:
    return world.callback(trip, seconds=5.9)


def declined(world: Core, trip: Trip) -> Finished:
    return world.come_back_empty(trip, Code.DENIED)


def declined_during_a_transaction(world: Core, trip: Trip) -> Finished:
    world.wire.meet("UpdateItem", CONFLICT)
    return declined(world, trip)


def claimed_during_a_transaction(world: Core, trip: Trip) -> Finished:
    world.wire.meet("UpdateItem", CONFLICT)
    return world.callback(trip)


def claimed_without_an_answer(world: Core, trip: Trip) -> Finished:
    world.wire.meet("UpdateItem", down)
    return world.callback(trip)


def claimed_slowly(world: Core, trip: Trip) -> Finished:
    def pass_time() -> None:
        world.clock.now += 19.5

    world.wire.meet("UpdateItem", after(pass_time))
    return world.callback(trip)


def without_a_verifier(world: Core, trip: Trip) -> Finished:
    world.dynamodb.update_item(
        TableName="LoginAttempts",
        Key={"attempt_id": {"S": trip.attempt_id}},
        UpdateExpression="REMOVE code_verifier",
    )
    return world.callback(trip)


def refused_before(*steps: Answer | Exception, seconds: float = 0) -> Callable[[Core, Trip], Finished]:
    """Give a callback whose first send is refused for a secret that is rotated meanwhile, which takes so long."""

    def bring(world: Core, trip: Trip) -> Finished:
        def rotate() -> None:
            rotated = {**SECRETS, "pocketful": {"client_secret": "rotated"}}
            world.secretsmanager.put_secret_value(SecretId=world.secret, SecretString=json.dumps(rotated))
            world.clock.now += seconds

        world.secrets_wire.meet("GetSecretValue", pass_through, after(rotate))
        return pocketful(INVALID_CLIENT, *steps)(world, trip)

    return bring


def sealed_by_nobody(world: Core, trip: Trip) -> Finished:
    world.good_answers()
    world.kms_wire.meet("Encrypt", misread([]))
    return world.callback(trip)


def held_by_nobody(world: Core, trip: Trip) -> Finished:
    world.good_answers()
    world.wire.meet("UpdateItem", pass_through, refused("AccessDeniedException"))
    return world.callback(trip)


def committed_by_nobody(world: Core, trip: Trip) -> Finished:
    world.good_answers()
    world.wire.meet("TransactWriteItems", refused("AccessDeniedException"))
    return world.callback(trip)


def run_out_when_it_came(world: Core, trip: Trip) -> Finished:
    return world.callback(trip, jwt({"exp": world.now - 61}))


def run_out_during_the_claim(world: Core, trip: Trip) -> Finished:
    def pass_time() -> None:
        world.clock.now += 2

    world.wire.meet("UpdateItem", after(pass_time))
    return world.callback(trip, jwt({"exp": world.now - 59}))


def of_another_account(world: Core, trip: Trip) -> Finished:
    world.good_answers("YA0003")
    return world.callback(trip)


def over_before_it_was_stored(world: Core, trip: Trip) -> Finished:
    world.good_answers(access_token=jwt({"exp": MORNING}))
    return world.callback(trip)


def at_fivepaisa(world: Core) -> Trip:
    return world.for_user("fivepaisa", account=PAISA_ACCOUNT)


def for_an_account(world: Core) -> Trip:
    return world.for_user(account=ACCOUNT)


def crash(_: Request) -> Answer:
    raise RuntimeError("canary")


@dataclass(frozen=True)
class Told:
    """A way to fail, what is said of it, and how the login began."""

    bring: Callable[[Core, Trip], Finished]
    code: Code
    step: Step
    reason: str
    begin: Callable[[Core], Trip] = Core.directly


FAILURES = {
    "no secret": Told(without_a_secret, Code.APP_MISCONFIGURED, Step.READY, "pocketful.client_secret"),
    "no time": Told(without_time, Code.BUSY, Step.READY, "too little time"),
    "declined": Told(declined, Code.DENIED, Step.CALLBACK, "no usable grant"),
    "declined, conflict": Told(
        declined_during_a_transaction, Code.DENIED, Step.CALLBACK, "UpdateItem: TransactionConflictException"
    ),
    "claim, conflict": Told(
        claimed_during_a_transaction, Code.BUSY, Step.CLAIM, "UpdateItem: TransactionConflictException"
    ),
    "claim, no answer": Told(claimed_without_an_answer, Code.BUSY, Step.CLAIM, "UpdateItem: ReadTimeoutError"),
    "slow claim": Told(claimed_slowly, Code.BUSY, Step.EXCHANGE, "too little time"),
    "no verifier": Told(without_a_verifier, Code.INTERNAL, Step.EXCHANGE, "no code_verifier"),
    "grant run out": Told(run_out_when_it_came, Code.EXPIRED, Step.CALLBACK, "no usable grant", at_fivepaisa),
    "grant run out since": Told(run_out_during_the_claim, Code.EXPIRED, Step.EXCHANGE, "ran out", at_fivepaisa),
    "not sent": Told(pocketful(NotSent("dns"), NotSent("tls")), Code.BROKER_UNAVAILABLE, Step.EXCHANGE, "tls"),
    "no answer": Told(pocketful(NoAnswer("reset")), Code.OUTCOME_UNKNOWN, Step.EXCHANGE, "reset"),
    "oversized": Told(pocketful(AnswerTooLarge()), Code.BROKER_ERROR, Step.EXCHANGE, AnswerTooLarge().reason),
    "refused": Told(pocketful(INVALID_CLIENT), Code.APP_MISCONFIGURED, Step.EXCHANGE, "invalid_client"),
    "refused, not sent": Told(refused_before(NotSent("tls")), Code.BROKER_UNAVAILABLE, Step.EXCHANGE, "tls"),
    "refused, no time": Told(refused_before(seconds=19.5), Code.BROKER_UNAVAILABLE, Step.EXCHANGE, "too little time"),
    "crash": Told(pocketful(crash), Code.INTERNAL, Step.EXCHANGE, "RuntimeError"),
    "no account": Told(
        pocketful(token_answer(), NotSent("dns"), NoAnswer("reset"), answer("", 503)),
        Code.ACCOUNT_UNKNOWN,
        Step.IDENTIFY,
        "HTTP 503",
    ),
    "no answer about the account": Told(
        pocketful(token_answer(), answer("", 503), answer("", 503), NoAnswer("closed")),
        Code.ACCOUNT_UNKNOWN,
        Step.IDENTIFY,
        "closed",
    ),
    "another account": Told(of_another_account, Code.ACCOUNT_MISMATCH, Step.IDENTIFY, "session's", for_an_account),
    "a token that is over": Told(over_before_it_was_stored, Code.EXPIRED, Step.ENCRYPT, "ended"),
    "not encrypted": Told(sealed_by_nobody, Code.INTERNAL, Step.ENCRYPT, "KMS Encrypt: unreadable answer"),
    "not held": Told(held_by_nobody, Code.INTERNAL, Step.HOLD, "UpdateItem: AccessDeniedException", Core.for_user),
    "not committed": Told(committed_by_nobody, Code.INTERNAL, Step.COMMIT, "TransactWriteItems: AccessDeniedException"),
}


@pytest.mark.parametrize("told", FAILURES.values(), ids=FAILURES)
def test_failure_is_told_with_its_attempt_code_step_and_reason(world: Core, told: Told) -> None:
    trip = told.begin(world)
    finished = told.bring(world, trip)
    assert isinstance(finished, Ended | StillRunning | NothingConsumed)
    attempt_id = finished.attempt.attempt_id if isinstance(finished, Ended) else finished.attempt_id
    assert attempt_id == trip.attempt_id
    failure = finished.failure
    assert failure is not None
    assert (failure.code, failure.step) == (told.code, told.step)
    assert told.reason in failure.message
    assert (failure.__cause__ is not None) is (told.reason == "RuntimeError")


def test_direct_login_outside_the_list_is_told_as_such() -> None:
    with core(direct_accounts=frozenset({"YA0009"})) as world:
        finished = of_another_account(world, world.directly())
        assert isinstance(finished, Ended)
        assert finished.failure is not None
        assert (finished.failure.code, finished.failure.step) == (Code.ACCOUNT_MISMATCH, Step.IDENTIFY)
        assert "DirectLoginAccounts" in finished.failure.message
