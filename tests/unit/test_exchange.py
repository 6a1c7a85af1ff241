"""Steps 2 to 5 of a claimed login: a grant is sent once, and whatever happens, the attempt ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from brokerlink.attempts import Status
from brokerlink.errors import Code, Step
from brokerlink.outbound import Answer, AnswerTooLarge, NoAnswer, NotSent, Reason, Request
from brokerlink.outcomes import Ended, Finished, NothingConsumed, StillRunning, Unattributable
from tests.kit.core import (
    ACCESS_TOKEN,
    ACCOUNT,
    PAISA_ACCOUNT,
    USER,
    Core,
    Trip,
    account_answer,
    core,
    jwt,
    paisa_answer,
    token_answer,
)
from tests.kit.wire import Carry, Fault, after, down, lost, misread, pass_through, refused, resent
from tests.kit.world import MIDNIGHT, MORNING, SECRETS, answer

INVALID_CLIENT = answer({"error": "invalid_client"}, 401)
ROTATED = {**SECRETS, "pocketful": {"client_secret": "rotated"}}


@pytest.fixture
def world() -> Iterator[Core]:
    with core() as running:
        yield running


def exchanges(world: Core) -> list[Request]:
    """Give what was sent to the token endpoint."""
    return [request for request in world.http.sent if request.method == "POST"]


def failed(world: Core, trip: Trip, finished: Finished, code: Code) -> bool:
    """Say whether the login failed with a code: in the answer, in the row, and without a token."""
    assert isinstance(finished, Ended), finished
    assert finished.attempt.to_item() == world.row(trip)
    assert "code_verifier" not in world.row(trip)
    assert world.tokens() == []
    return finished.here and finished.attempt.status is Status.FAILED and finished.attempt.error == code


def rotate(world: Core, secrets: Any = ROTATED) -> None:
    world.secretsmanager.put_secret_value(SecretId=world.secret, SecretString=json.dumps(secrets))


# 2 exchange


def test_the_grant_goes_out_once_as_it_came_with_what_the_attempt_kept(world: Core) -> None:
    trip = world.directly()
    verifier = world.row(trip)["code_verifier"]
    world.good_answers()
    world.callback(trip, "a+b c%2B")
    (request,) = exchanges(world)
    assert request.body is not None
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["a+b c%2B"],
        "redirect_uri": ["https://login.example.com/callback/pocketful"],
        "code_verifier": [verifier],
    }


def test_the_redirect_uri_is_the_starts_even_if_the_address_has_changed_meanwhile(world: Core) -> None:
    trip = world.directly()
    at_the_start = world.row(trip)["redirect_uri"]
    world.good_answers()
    world.callback(trip)
    body = exchanges(world)[0].body
    assert body is not None
    assert parse_qs(body.decode())["redirect_uri"] == [at_the_start]


def test_the_exchange_has_a_connection_of_its_own_and_the_identity_request_reuses_it(world: Core) -> None:
    trip = world.directly()
    world.good_answers()
    world.callback(trip)
    assert world.http.fresh == [True, False]


def test_five_seconds_are_kept_back_for_encrypt_and_commit(world: Core) -> None:
    trip = world.directly()
    world.good_answers()
    budget = world.budget()
    world.callback(trip)
    assert world.http.deadlines[0] == budget.answer_by - 5
    assert world.http.deadlines[1] <= budget.answer_by - 5


def test_the_time_of_issue_is_taken_before_the_grant_is_sent(world: Core) -> None:
    trip = world.directly()
    world.clock.now = MORNING + 0.123

    def slow(_: Request) -> Answer:
        world.clock.now += 4
        return token_answer(expires_in=3600)

    world.http.line_up(slow, account_answer())
    world.callback(trip)
    (token,) = world.tokens()
    assert token["issued_at_ms"] == MORNING * 1000 + 123
    assert token["expires_at"] == MORNING + 3600


def test_the_time_of_issue_is_that_of_the_send_that_brought_the_token(world: Core) -> None:
    trip = world.directly()

    def not_sent(_: Request) -> Answer:
        world.clock.now += 2
        raise NotSent("refused")

    world.http.line_up(not_sent)
    world.good_answers()
    world.callback(trip)
    assert world.tokens()[0]["issued_at_ms"] == (MORNING + 2) * 1000


# The reasons with which a request may not have left, and may have been carried out.
UNSENT: tuple[Reason, ...] = ("dns", "refused", "unreachable", "tls", "timeout")
UNKNOWN: tuple[Reason, ...] = ("timeout", "reset", "closed", "truncated", "protocol", "encoding")


@pytest.mark.parametrize("reason", UNSENT)
def test_a_grant_that_was_not_sent_is_sent_again(world: Core, reason: Reason) -> None:
    trip = world.directly()
    world.http.line_up(NotSent(reason))
    world.good_answers()
    assert isinstance(world.callback(trip), Ended)
    assert len(exchanges(world)) == 2
    assert len(world.tokens()) == 1


@pytest.mark.parametrize("reason", UNSENT)
def test_a_grant_that_twice_was_not_sent_is_given_back(world: Core, reason: Reason) -> None:
    trip = world.directly()
    before = world.row(trip)
    world.http.line_up(NotSent(reason), NotSent(reason))
    finished = world.callback(trip)
    assert isinstance(finished, NothingConsumed)
    assert (finished.failure.code, finished.failure.message) == (Code.BROKER_UNAVAILABLE, reason)
    assert len(exchanges(world)) == 2
    assert world.row(trip) == before
    world.good_answers()
    assert isinstance(world.callback(trip), Ended)
    assert len(world.tokens()) == 1


@pytest.mark.parametrize("reason", UNKNOWN)
def test_a_grant_without_an_answer_is_never_sent_again(world: Core, reason: Reason) -> None:
    trip = world.directly()
    world.http.line_up(NoAnswer(reason))
    finished = world.callback(trip)
    assert failed(world, trip, finished, Code.OUTCOME_UNKNOWN)
    world.callback(trip)
    assert len(exchanges(world)) == 1


def test_a_grant_that_was_not_sent_and_then_got_no_answer_is_sent_no_third_time(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(NotSent("refused"), NoAnswer("timeout"))
    assert failed(world, trip, world.callback(trip), Code.OUTCOME_UNKNOWN)
    assert len(exchanges(world)) == 2


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(AnswerTooLarge(), Code.BROKER_ERROR, id="oversized"),
        pytest.param(answer("<html>", 200), Code.BROKER_ERROR, id="HTML"),
        pytest.param(answer("", 200), Code.BROKER_ERROR, id="empty"),
        pytest.param(answer("[]", 200), Code.BROKER_ERROR, id="a list"),
        pytest.param(answer("null", 200), Code.BROKER_ERROR, id="null"),
        pytest.param(answer({}, 200), Code.BROKER_ERROR, id="no access_token"),
        pytest.param(token_answer(access_token=""), Code.BROKER_ERROR, id="empty access_token"),
        pytest.param(token_answer(access_token=7), Code.BROKER_ERROR, id="a number as access_token"),
        pytest.param(token_answer(token_type="mac"), Code.BROKER_ERROR, id="token_type mac"),
        pytest.param(token_answer(expires_in=0), Code.BROKER_ERROR, id="expires_in 0"),
        pytest.param(token_answer(error="server_error"), Code.BROKER_UNAVAILABLE, id="error beside a token"),
        pytest.param(answer("<html>", 503), Code.BROKER_UNAVAILABLE, id="503 with HTML"),
        pytest.param(answer({"error": "invalid_grant"}, 400), Code.GRANT_REJECTED, id="invalid_grant"),
        pytest.param(answer({"error": "invalid_request"}, 400), Code.APP_MISCONFIGURED, id="invalid_request"),
    ],
)
def test_an_answer_without_a_token_ends_the_login_after_one_send(
    world: Core, reply: Answer | Exception, code: Code
) -> None:
    trip = world.directly()
    world.http.line_up(reply)
    assert failed(world, trip, world.callback(trip), code)
    assert len(world.http.sent) == 1


def test_a_wait_that_the_broker_asks_for_is_kept(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(answer("", 429, retry_after="90"))
    assert failed(world, trip, world.callback(trip), Code.BROKER_UNAVAILABLE)
    assert world.row(trip)["retry_at"] == MORNING + 90


# invalid_client: the one answer after which the code is unspent


def test_refused_credentials_that_are_unchanged_are_sent_once(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(INVALID_CLIENT)
    assert failed(world, trip, world.callback(trip), Code.APP_MISCONFIGURED)
    assert len(world.http.sent) == 1
    assert len(world.secrets_wire.calls) == 2


def test_refused_credentials_that_were_rotated_are_sent_again(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(INVALID_CLIENT)
    world.good_answers()
    world.secrets_wire.meet("GetSecretValue", pass_through, after(lambda: rotate(world)))
    assert isinstance(world.callback(trip), Ended)
    first, second = exchanges(world)
    assert first.headers["Authorization"] != second.headers["Authorization"]
    assert first.body == second.body
    assert len(world.tokens()) == 1


def test_refused_credentials_are_never_sent_a_third_time(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(INVALID_CLIENT, INVALID_CLIENT)
    world.secrets_wire.meet("GetSecretValue", pass_through, after(lambda: rotate(world)))
    assert failed(world, trip, world.callback(trip), Code.APP_MISCONFIGURED)
    assert len(exchanges(world)) == 2


def test_not_sent_and_then_refused_is_two_sends_whatever_the_secret(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(NotSent("refused"), INVALID_CLIENT)
    world.secrets_wire.meet("GetSecretValue", pass_through, after(lambda: rotate(world)))
    assert failed(world, trip, world.callback(trip), Code.APP_MISCONFIGURED)
    assert len(exchanges(world)) == 2


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(NotSent("refused"), id="not sent"),
        pytest.param(NoAnswer("timeout"), id="no answer"),
        pytest.param(answer({"error": "invalid_grant"}, 400), id="rejected"),
    ],
)
def test_after_a_second_send_with_new_credentials_the_attempt_is_over(world: Core, second: Answer | Exception) -> None:
    trip = world.directly()
    world.http.line_up(INVALID_CLIENT, second)
    world.secrets_wire.meet("GetSecretValue", pass_through, after(lambda: rotate(world)))
    assert isinstance(world.callback(trip), Ended)
    assert world.row(trip)["status"] == "FAILED"
    assert len(exchanges(world)) == 2


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer({"error": "Invalid_Client"}, 401), id="another spelling"),
        pytest.param(answer({"error_description": "invalid_client"}, 401), id="in its description"),
        pytest.param(answer("invalid_client", 401), id="no JSON"),
        pytest.param(answer({"error": ["invalid_client"]}, 401), id="a list"),
        pytest.param(answer({}, 401), id="401 alone"),
        pytest.param(answer({"error": "unauthorized_client"}, 401), id="unauthorized_client"),
    ],
)
def test_nothing_but_invalid_client_makes_the_grant_go_out_again(world: Core, reply: Answer) -> None:
    trip = world.directly()
    world.http.line_up(reply)
    world.secrets_wire.meet("GetSecretValue", pass_through, after(lambda: rotate(world)))
    world.callback(trip)
    assert world.row(trip)["status"] == "FAILED"
    assert len(exchanges(world)) == 1


def test_fivepaisas_refused_key_is_not_sent_again_but_fetched_anew_for_the_next_login(world: Core) -> None:
    rejected = answer({"head": {"Status": "2", "StatusDescription": "Invalid Head Parameters"}, "body": None})
    trip = world.for_user("fivepaisa", account=PAISA_ACCOUNT)
    world.http.line_up(rejected)
    world.secrets_wire.meet(
        "GetSecretValue",
        pass_through,
        after(lambda: rotate(world, {**SECRETS, "fivepaisa": {"encryption_key": "new", "user_id": "new"}})),
    )
    assert failed(world, trip, world.callback(trip), Code.APP_MISCONFIGURED)
    assert len(exchanges(world)) == 1
    world.http.line_up(paisa_answer())
    world.callback(world.for_user("fivepaisa", account=PAISA_ACCOUNT))
    body = exchanges(world)[1].body
    assert body is not None
    assert json.loads(body)["body"]["EncryKey"] == "new"


def test_a_failure_that_is_not_our_apps_fetches_no_secret_anew(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(answer({"error": "invalid_grant"}, 400))
    assert failed(world, trip, world.callback(trip), Code.GRANT_REJECTED)
    assert len(world.secrets_wire.calls) == 1


def test_the_failure_is_written_before_secrets_are_fetched_for_the_next_login(world: Core) -> None:
    rejected = answer({"head": {"Status": "2"}, "body": None})
    trip = world.for_user("fivepaisa", account=PAISA_ACCOUNT)
    world.http.line_up(rejected)
    seen: list[object] = []
    world.secrets_wire.meet("GetSecretValue", pass_through, after(lambda: seen.append(world.row(trip)["status"])))
    world.callback(trip)
    assert seen == ["FAILED"]


# too little time, and grants that run out


def slow_claim(world: Core, seconds: float) -> None:
    def pass_time() -> None:
        world.clock.now += seconds

    world.wire.meet("UpdateItem", after(pass_time))


def test_a_claim_that_took_all_the_time_is_given_back(world: Core) -> None:
    trip = world.directly()
    slow_claim(world, 19.5)
    finished = world.callback(trip)
    assert isinstance(finished, NothingConsumed)
    assert finished.failure.code is Code.BUSY
    assert world.http.sent == []
    assert world.row(trip)["status"] == "PENDING"


def test_a_claim_that_left_a_second_for_the_broker_is_used(world: Core) -> None:
    trip = world.directly()
    slow_claim(world, 19)
    world.good_answers()
    world.callback(trip)
    assert len(exchanges(world)) == 1


def test_a_grant_in_its_last_second_after_the_claim_is_sent(world: Core) -> None:
    trip = world.for_user("fivepaisa", account=PAISA_ACCOUNT)
    slow_claim(world, 2)
    world.http.line_up(paisa_answer())
    world.callback(trip, jwt({"exp": world.now - 58}))
    assert len(exchanges(world)) == 1


def test_a_grant_that_ran_out_during_the_claim_is_not_sent(world: Core) -> None:
    trip = world.for_user("fivepaisa", account=PAISA_ACCOUNT)
    slow_claim(world, 2)
    finished = world.callback(trip, jwt({"exp": world.now - 59}))
    assert failed(world, trip, finished, Code.EXPIRED)
    assert world.http.sent == []


def test_a_second_send_without_time_gives_the_attempt_back(world: Core) -> None:
    trip = world.directly()

    def slow(_: Request) -> Answer:
        world.clock.now += 19.5
        raise NotSent("timeout")

    world.http.line_up(slow)
    finished = world.callback(trip)
    assert isinstance(finished, NothingConsumed)
    assert finished.failure.code is Code.BUSY
    assert len(world.http.sent) == 1
    assert world.row(trip)["status"] == "PENDING"


def test_broken_row_without_code_verifier_ends_unsent(world: Core) -> None:
    trip = world.directly()
    world.dynamodb.update_item(
        TableName="LoginAttempts",
        Key={"attempt_id": {"S": trip.attempt_id}},
        UpdateExpression="REMOVE code_verifier",
    )
    assert failed(world, trip, world.callback(trip), Code.INTERNAL)
    assert world.http.sent == []


# 3 identify


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(NotSent("refused"), id="not sent"),
        pytest.param(NoAnswer("timeout"), id="no answer"),
        pytest.param(AnswerTooLarge(), id="oversized"),
        pytest.param(answer("<html>", 502), id="502"),
        pytest.param(answer("<html>"), id="200 with HTML"),
        pytest.param(answer("", 429, retry_after="60"), id="429"),
    ],
)
def test_the_identity_is_asked_for_again(world: Core, trouble: Answer | Exception) -> None:
    trip = world.directly()
    world.http.line_up(token_answer(), trouble, trouble, account_answer())
    assert isinstance(world.callback(trip), Ended)
    assert [token["account"] for token in world.tokens()] == [ACCOUNT]
    assert len(exchanges(world)) == 1


def test_an_identity_that_stays_unknown_stores_no_token(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(token_answer(), *[answer("", 503)] * 3)
    assert failed(world, trip, world.callback(trip), Code.ACCOUNT_UNKNOWN)
    assert len(world.http.sent) == 4
    assert world.clock.slept == [0.2, 0.8]


def test_an_identity_is_not_asked_for_where_the_token_took_all_the_time(world: Core) -> None:
    trip = world.directly()

    def slow(_: Request) -> Answer:
        world.clock.now += 20
        return token_answer()

    world.http.line_up(slow)
    finished = world.callback(trip)
    assert failed(world, trip, finished, Code.ACCOUNT_UNKNOWN)
    assert isinstance(finished, Ended)
    assert finished.failure is not None
    assert "no time" in finished.failure.message


def test_each_question_for_the_identity_gets_four_seconds_and_none_begins_too_late(world: Core) -> None:
    trip = world.directly()
    asked: list[float] = []

    def hang(_: Request) -> Answer:
        asked.append(world.clock.now)
        world.clock.now = world.http.deadlines[-1]
        raise NoAnswer("timeout")

    def slow(_: Request) -> Answer:
        world.clock.now += 14
        return token_answer()

    world.http.line_up(slow, hang, hang, hang)
    budget = world.budget()
    assert failed(world, trip, world.callback(trip), Code.ACCOUNT_UNKNOWN)
    assert asked == [MORNING + 14, MORNING + 18.2]
    assert world.http.deadlines == [budget.answer_by - 5, MORNING + 18, budget.answer_by - 5]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer({"status": "error"}, 403), id="403"),
        pytest.param(answer({"status": "error", "data": {"client_id": ACCOUNT}}), id="status error with 200"),
        pytest.param(answer({"status": "success", "data": {}}), id="no client_id"),
        pytest.param(answer({"status": "success", "data": {"client_id": 7}}), id="a number"),
        pytest.param(account_answer(""), id="empty"),
        pytest.param(account_answer("YA 0002"), id="with a space"),
        pytest.param(account_answer("YA#0002"), id="with a hash"),
        pytest.param(account_answer("A" * 65), id="65 characters"),
    ],
)
def test_an_answer_without_a_usable_account_is_not_asked_for_again(world: Core, reply: Answer) -> None:
    trip = world.directly()
    world.http.line_up(token_answer(), reply)
    assert failed(world, trip, world.callback(trip), Code.ACCOUNT_UNKNOWN)
    assert len(world.http.sent) == 2


def test_another_account_than_the_sessions_is_refused_and_stores_nothing(world: Core) -> None:
    trip = world.for_user(account="YA0001")
    world.good_answers("YA0002")
    assert failed(world, trip, world.callback(trip), Code.ACCOUNT_MISMATCH)
    assert world.session_row(trip)["status"] == "OPEN"
    assert world.kms_wire.calls == []


@pytest.mark.parametrize("account", ["ya0002", "YA0002 ", "YA00020", "YA000"])
def test_accounts_are_compared_exactly(world: Core, account: str) -> None:
    trip = world.for_user(account=ACCOUNT)
    world.good_answers(account)
    world.callback(trip)
    assert world.row(trip)["status"] == "FAILED"
    assert world.tokens() == []


def test_request_token_injection_victims_token_in_my_callback_is_refused(world: Core) -> None:
    # 5paisa binds no request token to a state: the session's account is what stands against it.
    mine = world.for_user("fivepaisa", account=PAISA_ACCOUNT)
    world.http.line_up(paisa_answer("99999999"))
    assert failed(world, mine, world.callback(mine, jwt({"exp": world.now + 30})), Code.ACCOUNT_MISMATCH)


@pytest.mark.parametrize(
    ("listed", "outcome"),
    [
        pytest.param(frozenset({"YA0002", "YA0009"}), "SUCCEEDED", id="listed"),
        pytest.param(frozenset({"YA0009"}), "FAILED", id="not listed"),
        pytest.param(None, "SUCCEEDED", id="any"),
    ],
)
def test_direct_logins_end_in_listed_accounts_only(listed: frozenset[str] | None, outcome: str) -> None:
    with core(direct_accounts=listed) as world:
        trip = world.directly()
        world.good_answers(ACCOUNT)
        finished = world.callback(trip)
        assert world.row(trip)["status"] == outcome
        assert outcome == "SUCCEEDED" or failed(world, trip, finished, Code.ACCOUNT_MISMATCH)


def test_the_list_of_direct_accounts_does_not_concern_sessions() -> None:
    with core(direct_accounts=frozenset()) as world:
        trip = world.for_user(account=ACCOUNT)
        world.good_answers()
        world.callback(trip)
        assert world.row(trip)["status"] == "SUCCEEDED"


# 4 encrypt


def test_the_token_is_sealed_for_broker_account_and_user(world: Core) -> None:
    trip = world.for_user(account=ACCOUNT)
    world.good_answers()
    world.callback(trip)
    (row,) = world.tokens()
    assert world.kms_wire.made("Encrypt")[0].json["EncryptionContext"] == {
        "purpose": "broker-access-token",
        "broker": "pocketful",
        "account": ACCOUNT,
        "user_id": USER,
    }
    assert world.open_token(row) == ACCESS_TOKEN


def test_a_direct_login_is_filed_under_the_account_itself(world: Core) -> None:
    trip = world.directly()
    world.good_answers()
    world.callback(trip)
    (row,) = world.tokens()
    assert row["user_id"] == f"pocketful:{ACCOUNT}"
    assert row["connection"] == f"pocketful#{ACCOUNT}"
    assert world.open_token(row) == ACCESS_TOKEN


@pytest.mark.parametrize("size", [4096, 4097])
def test_a_token_over_kms_limit_is_a_clear_failure(world: Core, size: int) -> None:
    trip = world.directly()
    world.good_answers(access_token="é" + "t" * (size - 2))
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    if size == 4096:
        assert len(world.tokens()) == 1
        return
    assert failed(world, trip, finished, Code.INTERNAL)
    assert finished.failure is not None
    assert (finished.failure.step, "4097 bytes" in finished.failure.message) == (Step.ENCRYPT, True)
    assert world.kms_wire.calls == []


@pytest.mark.parametrize(
    "fault",
    [
        down,
        refused("ThrottlingException"),
        refused("AccessDeniedException"),
        refused("DisabledException"),
        refused("KMSInternalException", status=500),
        misread({}),
        misread({"CiphertextBlob": 7}),
        misread([]),
    ],
)
def test_kms_that_does_not_encrypt_stores_nothing(world: Core, fault: Fault) -> None:
    trip = world.directly()
    world.good_answers()
    world.kms_wire.meet("Encrypt", fault)
    finished = world.callback(trip)
    assert failed(world, trip, finished, Code.INTERNAL)
    assert isinstance(finished, Ended)
    assert finished.failure is not None
    assert finished.failure.message.startswith("KMS Encrypt: ")
    assert ACCESS_TOKEN not in str(world.row(trip))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"access_token": jwt({"exp": MORNING})}, id="its own exp is now"),
        pytest.param({"access_token": jwt({"exp": MORNING - 3600})}, id="its own exp is past"),
    ],
)
def test_a_token_that_has_ended_already_is_not_stored(world: Core, changes: dict[str, Any]) -> None:
    trip = world.directly()
    world.good_answers(**changes)
    assert failed(world, trip, world.callback(trip), Code.EXPIRED)
    assert world.kms_wire.calls == []


def test_a_token_that_ended_while_we_asked_whose_it_is_is_not_stored(world: Core) -> None:
    trip = world.directly()
    world.clock.now = MIDNIGHT - 1
    row = world.row(trip)
    world.dynamodb.put_item(
        TableName="LoginAttempts",
        Item={
            **{name: {"S": value} for name, value in row.items() if isinstance(value, str)},
            "expires_at": {"N": str(MIDNIGHT + 60)},
            "ttl": {"N": str(MIDNIGHT + 3600)},
        },
    )

    def slow(_: Request) -> Answer:
        world.clock.now += 1
        return account_answer()

    world.http.line_up(token_answer(), slow)
    assert failed(world, trip, world.callback(trip), Code.EXPIRED)


# 5 hold


def test_a_session_without_an_account_is_held(world: Core) -> None:
    trip = world.for_user()
    world.good_answers()
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.here
    assert finished.attempt.status is Status.HELD
    assert finished.attempt.to_item() == world.row(trip)
    assert world.tokens() == []
    assert world.session_row(trip)["status"] == "OPEN"


def test_a_hold_keeps_all_that_the_commit_will_need(world: Core) -> None:
    trip = world.for_user()
    ttl = world.row(trip)["ttl"]
    world.good_answers()
    world.callback(trip)
    row = world.row(trip)
    assert row["held_until"] == MORNING + 600
    assert row["ttl"] == ttl
    assert row["account"] == ACCOUNT
    assert row["token_expires_at"] == MIDNIGHT
    assert row["issued_at_ms"] == MORNING * 1000
    assert (row["scope"], row["token_type"]) == ("orders holdings", "bearer")
    assert world.open_token(row) == ACCESS_TOKEN
    assert "code_verifier" not in row


def test_a_hold_ends_with_its_token(world: Core) -> None:
    trip = world.for_user()
    world.good_answers(expires_in=60)
    world.callback(trip)
    assert world.row(trip)["held_until"] == MORNING + 60


def meets_holds(fault: Fault) -> Fault:
    """Give a fault that meets holds, and nothing else that updates an attempt."""

    def fault_of_holds(carry: Carry, request: AWSPreparedRequest) -> AWSResponse:
        assert isinstance(request.body, bytes)
        return fault(carry, request) if b"HELD" in request.body else carry()

    return fault_of_holds


def is_held(world: Core, trip: Trip, finished: Finished) -> bool:
    """Say whether the login is held: in the answer and in the row, and this callback told so."""
    assert isinstance(finished, Ended), finished
    assert finished.attempt.to_item() == world.row(trip)
    assert finished.failure is None
    return finished.here and finished.attempt.status is Status.HELD and "ciphertext" in world.row(trip)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lost, id="answer lost"),
        pytest.param(down, id="not written"),
        pytest.param(refused("TransactionConflictException"), id="conflict"),
        pytest.param(refused("ThrottlingException"), id="throttled"),
    ],
)
def test_a_hold_whose_answer_is_unclear_is_repeated_byte_for_byte(world: Core, fault: Fault) -> None:
    trip = world.for_user()
    world.good_answers()
    world.wire.meet("UpdateItem", pass_through, fault, fault, fault)
    finished = world.callback(trip)
    assert is_held(world, trip, finished)
    _, *holds = world.wire.made("UpdateItem")
    assert len({call.body for call in holds}) == 1
    assert len(holds) == (1 if fault is resent else 4)


@pytest.mark.parametrize("fault", [lost, resent], ids=["lost", "sent twice by the SDK"])
def test_a_hold_whose_every_answer_is_lost_is_read_from_the_row(world: Core, fault: Fault) -> None:
    trip = world.for_user()
    world.good_answers()
    world.wire.meet("UpdateItem", pass_through)
    world.wire.meet_all("UpdateItem", meets_holds(fault))
    assert is_held(world, trip, world.callback(trip))


@pytest.mark.parametrize("fault", [down, refused("TransactionConflictException")], ids=["down", "conflict"])
def test_a_hold_that_never_lands_fails_while_the_failure_can_still_be_written(world: Core, fault: Fault) -> None:
    trip = world.for_user()
    world.good_answers()
    world.wire.meet("UpdateItem", pass_through)
    world.wire.meet_all("UpdateItem", meets_holds(fault))
    budget = world.budget()
    finished = world.callback(trip)
    assert failed(world, trip, finished, Code.INTERNAL)
    assert isinstance(finished, Ended)
    assert finished.failure is not None
    assert finished.failure.step is Step.HOLD
    assert "ciphertext" not in world.row(trip)
    assert world.clock.now <= budget.answer_by - 4


def test_a_late_hold_meets_the_failure_that_was_written_first(world: Core) -> None:
    trip = world.for_user()
    world.good_answers()
    world.wire.meet("UpdateItem", pass_through)
    world.wire.meet_all("UpdateItem", meets_holds(down))
    world.callback(trip)
    # What was given up as lost arrives after all.
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        world.dynamodb.update_item(**world.wire.made("UpdateItem")[1].json)
    assert world.row(trip)["status"] == "FAILED"


def test_a_hold_that_is_refused_for_good_is_not_repeated(world: Core) -> None:
    trip = world.for_user()
    world.good_answers()
    world.wire.meet("UpdateItem", pass_through, refused("AccessDeniedException"))
    assert failed(world, trip, world.callback(trip), Code.INTERNAL)
    assert world.clock.slept == []


def test_a_hold_that_meets_a_removed_row_holds_nothing(world: Core) -> None:
    trip = world.for_user()
    world.good_answers()
    world.wire.meet("UpdateItem", pass_through, after(lambda: world.remove(trip)))
    assert world.callback(trip) == Unattributable()
    assert world.row(trip) == {}


# whatever happens, the attempt ends


def boom(_: Request) -> Answer:
    raise RuntimeError("canary-code canary-secret")


def crash(_: Carry, __: AWSPreparedRequest) -> AWSResponse:
    raise RuntimeError("canary-code canary-secret")


def crash_at(world: Core, step: Step) -> None:
    """Let something break in one of the steps."""
    match step:
        case Step.EXCHANGE:
            world.http.line_up(boom)
        case Step.IDENTIFY:
            world.http.line_up(token_answer(), boom)
        case Step.ENCRYPT:
            world.kms_wire.meet("Encrypt", crash)
        case Step.COMMIT:
            world.wire.meet("TransactWriteItems", crash)
        case Step.HOLD:
            world.wire.meet("UpdateItem", pass_through, crash)
    world.good_answers()


@pytest.mark.parametrize("step", [Step.EXCHANGE, Step.IDENTIFY, Step.ENCRYPT, Step.COMMIT, Step.HOLD])
def test_a_crash_ends_the_attempt_and_tells_where_but_not_what(world: Core, step: Step) -> None:
    trip = world.for_user(account=None if step is Step.HOLD else ACCOUNT)
    crash_at(world, step)
    finished = world.callback(trip)
    assert failed(world, trip, finished, Code.INTERNAL)
    assert isinstance(finished, Ended)
    assert finished.failure is not None
    assert finished.failure.step is step
    assert "canary" not in f"{finished.failure} {finished.failure!r} {finished.failure.message}"
    assert isinstance(finished.failure.__cause__, RuntimeError)


STOPS: dict[str, Callable[[Core], None]] = {
    "no answer": lambda world: world.http.line_up(NoAnswer("timeout")),
    "rejected": lambda world: world.http.line_up(answer({"error": "invalid_grant"}, 400)),
    "not sent": lambda world: world.http.line_up(NotSent("dns"), NotSent("dns")),
    "account unknown": lambda world: world.http.line_up(token_answer(), answer({}, 403)),
    "crash": lambda world: world.http.line_up(boom),
}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_an_end_that_cannot_be_written_runs_out_with_its_claim(world: Core, stop: Callable[[Core], None]) -> None:
    trip = world.directly()
    stop(world)
    world.wire.meet("UpdateItem", pass_through)
    world.wire.meet_all("UpdateItem", down)
    budget = world.budget()
    finished = world.callback(trip)
    assert isinstance(finished, StillRunning)
    assert finished.failure is not None
    assert "UpdateItem: ReadTimeoutError" in finished.failure.message
    assert world.row(trip)["status"] == "EXCHANGING"
    assert world.clock.now <= budget.answer_by
    world.wire.mend()
    world.clock.now = world.row(trip)["claim_expires_at"]
    world.callback(trip)
    assert world.row(trip)["error"] == "outcome_unknown"
    assert world.tokens() == []


@pytest.mark.parametrize("fault", [down, lost, resent, refused("TransactionConflictException")])
@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_an_end_whose_answer_is_unclear_is_written_again(
    world: Core, stop: Callable[[Core], None], fault: Fault
) -> None:
    trip = world.directly()
    stop(world)
    world.wire.meet("UpdateItem", pass_through, fault)
    finished = world.callback(trip)
    assert not isinstance(finished, StillRunning)
    if isinstance(finished, Ended):
        assert finished.here
        assert finished.failure is not None
        assert finished.attempt.to_item() == world.row(trip)
    else:
        assert world.row(trip)["status"] == "PENDING"


def test_an_end_that_another_wrote_first_is_not_told_again(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(answer({"error": "invalid_grant"}, 400))

    def run_out() -> None:
        row = world.others.read(trip.attempt_id)
        assert row is not None
        assert world.others.settle(row, world.now + 3600).done

    world.wire.meet("UpdateItem", pass_through, after(run_out))
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert not finished.here
    assert finished.failure is None
    assert finished.attempt.error == world.row(trip)["error"] == "outcome_unknown"


def test_an_end_of_a_row_that_is_gone_is_unknown(world: Core) -> None:
    trip = world.directly()
    world.http.line_up(NoAnswer("timeout"))
    world.wire.meet("UpdateItem", pass_through, after(lambda: world.remove(trip)))
    assert world.callback(trip) == Unattributable()


# scope


@pytest.mark.parametrize(
    ("scope", "reduced"),
    [
        pytest.param("orders holdings", False, id="as asked"),
        pytest.param("holdings orders", False, id="in another order"),
        pytest.param("orders holdings funds", False, id="more"),
        pytest.param("orders", True, id="less"),
        pytest.param("", True, id="nothing"),
    ],
)
def test_a_smaller_scope_is_stored_as_granted_and_flagged(world: Core, scope: str, *, reduced: bool) -> None:
    trip = world.directly()
    world.good_answers(scope=scope)
    finished = world.callback(trip)
    assert isinstance(finished, Ended)
    assert finished.scope_reduced is reduced
    assert world.tokens()[0]["scope"] == scope
