"""The outbound steps, as a table: how a login gets there, and which call it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.brokers import Endpoint
from tests.faults.journey import CLAIM_SECONDS, NOTHING, Journey, Seen
from tests.faults.line import Point, Scope
from tests.kit.clients import client
from tests.kit.world import MIDNIGHT, MORNING

type Request = Callable[[Journey], Seen]


@dataclass(frozen=True)
class Step:
    """A step: `reach` brings a login to the `request` in which its call is made.

    `at` says which call of ours that is; None is Lambda's, of announce. With `declines`, the customer cancels at the
    broker. With `broken`, the login meets that fault at its broker throughout the request.
    """

    title: str
    text: str
    at: Point | Endpoint | None
    scopes: tuple[Scope, ...]
    reach: Request
    request: Request = Journey.come_back
    broker: str = "pocketful"
    declines: bool = False
    broken: tuple[Endpoint, str] | None = None


def _run_out(journey: Journey) -> Seen:
    """Leave a claim behind whose process is gone, and let its time pass."""
    journey.start()
    journey.scene.line.stop_before = Point(Endpoint.POCKETFUL_TOKEN.name)
    seen = journey.come_back()
    journey.scene.line.mend()
    journey.scene.clock.now += CLAIM_SECONDS
    return seen


def _prepared(journey: Journey) -> Seen:
    journey.prepare()
    return journey.start()


def _held(journey: Journey) -> Seen:
    _prepared(journey)
    return journey.come_back()


def _issued(journey: Journey) -> Seen:
    journey.start()
    return journey.come_back()


def unpublishable(journey: Journey) -> Seen:
    """Let a row come into Tokens that no event can be made of: it has no scope."""
    texts = {"user_id": "user-1", "connection": "x#y", "broker": "x", "account": "y", "attempt_id": "planted"}
    numbers = {"issued_at_ms": MORNING * 1000, "expires_at": MIDNIGHT}
    row = {name: {"S": text} for name, text in texts.items()} | {
        name: {"N": str(number)} for name, number in numbers.items()
    }
    client("dynamodb").put_item(TableName="Tokens", Item=row)
    journey.scene.planted.add("planted")
    return NOTHING


_CALL = (Scope.CALL,)
_TRY_OR_CALL = (Scope.TRY, Scope.CALL)
_CALL_OR_SERVICE = (Scope.CALL, Scope.SERVICE)
_TRY_CALL_OR_SERVICE = (*_TRY_OR_CALL, Scope.SERVICE)
_TRY_OPERATION_OR_SERVICE = (Scope.TRY, Scope.OPERATION, Scope.SERVICE)
_ONCE_OR_ALWAYS = (Scope.TRY, Scope.OPERATION)

STEPS: tuple[Step, ...] = (
    Step(
        "Start",
        "`PutItem` of the attempt, before the browser goes to the broker.",
        Point("PutItem"),
        _CALL,
        lambda _: NOTHING,
        Journey.start,
    ),
    Step(
        "Start through a session",
        "`GetItem` of the session that a platform prepared, before that.",
        Point("GetItem"),
        _CALL,
        Journey.prepare,
        Journey.start,
    ),
    Step(
        "Cancelled login",
        "`UpdateItem` PENDING → FAILED, when the customer comes back without a grant.",
        Point("UpdateItem"),
        _TRY_OR_CALL,
        Journey.start,
        declines=True,
    ),
    Step(
        "Secret",
        "`GetSecretValue`, before the claim.",
        Point("GetSecretValue"),
        _TRY_OR_CALL,
        Journey.start,
    ),
    Step(
        "Claim",
        "`UpdateItem` PENDING → EXCHANGING.",
        Point("UpdateItem"),
        _TRY_CALL_OR_SERVICE,
        Journey.start,
    ),
    Step(
        "Token request at Pocketful",
        "`POST /oauth2/token` with the code.",
        Endpoint.POCKETFUL_TOKEN,
        _ONCE_OR_ALWAYS,
        Journey.start,
    ),
    Step(
        "Token request at 5paisa",
        "`POST GetAccessToken` with the request token.",
        Endpoint.FIVEPAISA_TOKEN,
        _ONCE_OR_ALWAYS,
        Journey.start,
        broker="fivepaisa",
    ),
    Step(
        "Secret, fetched anew",
        "`GetSecretValue` after the broker answered `invalid_client`, to see whether the secret has changed. It has.",
        Point("GetSecretValue", 2),
        _CALL,
        Journey.start,
        broken=(Endpoint.POCKETFUL_TOKEN, "4xx, invalid_client, secret changed"),
    ),
    Step(
        "Giving the claim back",
        "`UpdateItem` EXCHANGING → PENDING, after the broker refused every connection.",
        Point("UpdateItem", 2),
        _CALL_OR_SERVICE,
        Journey.start,
        broken=(Endpoint.POCKETFUL_TOKEN, "refused"),
    ),
    Step(
        "Writing a failure",
        "`UpdateItem` EXCHANGING → FAILED, after the broker answered `invalid_grant`.",
        Point("UpdateItem", 2),
        _CALL_OR_SERVICE,
        Journey.start,
        broken=(Endpoint.POCKETFUL_TOKEN, "4xx, invalid_grant"),
    ),
    Step(
        "Identity request at Pocketful",
        "`GET trading_info` with the access token.",
        Endpoint.POCKETFUL_IDENTITY,
        _ONCE_OR_ALWAYS,
        Journey.start,
    ),
    Step(
        "KMS",
        "`Encrypt` of the access token.",
        Point("Encrypt"),
        _TRY_OR_CALL,
        Journey.start,
    ),
    Step(
        "Commit",
        "`TransactWriteItems`: attempt SUCCEEDED and token, for a direct login.",
        Point("TransactWriteItems"),
        _TRY_OPERATION_OR_SERVICE,
        Journey.start,
    ),
    Step(
        "Hold",
        "`UpdateItem` EXCHANGING → HELD, for a session that does not name its account.",
        Point("UpdateItem", 2),
        _TRY_CALL_OR_SERVICE,
        _prepared,
    ),
    Step(
        "Confirm's read",
        "`GetItem` of the held attempt at `POST /confirm`.",
        Point("GetItem", 2),
        _CALL,
        _held,
        Journey.confirm,
    ),
    Step(
        "Confirm's commit",
        "`TransactWriteItems` of `POST /confirm`: attempt SUCCEEDED, token and session.",
        Point("TransactWriteItems"),
        _TRY_OPERATION_OR_SERVICE,
        _held,
        Journey.confirm,
    ),
    Step(
        "Writing down a run-out claim",
        "`UpdateItem` EXCHANGING → FAILED at `/result`, after the process that held the claim was stopped.",
        Point("UpdateItem", 2),
        _CALL,
        _run_out,
        Journey.look,
    ),
    Step(
        "Result",
        "`GetItem` of the attempt at `/result`, after a good login.",
        Point("GetItem", 2),
        _CALL,
        _issued,
        Journey.look,
    ),
    Step(
        "Stream",
        "Lambda reads the token's record from the table's stream, and hands it to announce. Both ends are AWS's. "
        "Whatever goes wrong there comes to one of two things: announce is not called, or its answer is not taken.",
        None,
        _CALL,
        _issued,
        Journey.announce,
    ),
    Step(
        "SNS",
        "`Publish`, for the stream record of the token.",
        Point("Publish"),
        _TRY_OR_CALL,
        _issued,
        Journey.announce,
    ),
    Step(
        "Dead letter",
        "SQS `SendMessage`, for a stream record that no event can be made of.",
        Point("SendMessage"),
        _CALL,
        unpublishable,
        Journey.announce,
    ),
)
