"""The line: all that leaves the functions, to AWS and to brokers alike, passes here and can be stopped here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from brokerlink.outbound import Answer
from tests.faults.brokers import Endpoint
from tests.kit import wire
from tests.kit.core import Clock


class Stopped(BaseException):
    """The process is stopped: no handler of the code's own gets to tidy up."""


class Scope(StrEnum):
    """How long a fault lasts, once a call has met it."""

    TRY = "one try"
    CALL = "the whole call"
    OPERATION = "every such call"
    SERVICE = "the service is down"


@dataclass(frozen=True)
class Point:
    """A place on the way: the `nth` call of an AWS operation, or the `nth` request to a broker's endpoint."""

    operation: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.operation} {self.nth}"


class Handover(StrEnum):
    """What becomes of a batch that Lambda reads from the stream and hands to announce."""

    GOOD = "good"
    NOT_MADE = "not made"
    ANSWER_LOST = "answer lost"


@dataclass(frozen=True)
class Aim:
    """A fault, the calls to AWS that it meets, and the seconds that it takes of each try.

    With `late`, what meets it is carried out in the end, when nobody waits for the answer any more.
    """

    point: Point
    scope: Scope
    fault: wire.Fault
    seconds: float = 0.0
    late: bool = False


@dataclass
class Line:
    """`journal` are the calls that were made, in their order, each once however often the SDK tried."""

    clock: Clock
    journal: list[Point] = field(default_factory=list)
    aim: Aim | None = None
    stop_before: Point | None = None
    stop_after: Point | None = None

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._calls: dict[str, Point] = {}
        self._tries: Counter[str] = Counter()
        self._reached: str | None = None
        self._late: list[wire.Carry] = []

    def mend(self) -> None:
        """Let everything through again, what was held up first."""
        for carry in self._late:
            carry()
        self._late.clear()
        self.aim = self.stop_before = self.stop_after = self._reached = None

    def to_aws(self, service: str, operation: str, request: AWSPreparedRequest, carry: wire.Carry) -> AWSResponse:
        """Pass one try of a call on to AWS, unless it meets the fault."""
        invocation = str(request.headers["amz-sdk-invocation-id"])
        if invocation not in self._calls:
            self._calls[invocation] = self._enter(operation)
        self._tries[invocation] += 1
        point = self._calls[invocation]
        if self.aim is not None and self._hits(self.aim, service, point, self._tries[invocation]):
            self.clock.now += self.aim.seconds
            self._late += [carry] if self.aim.late else []
            return self.aim.fault(carry, request)
        return self._pass(point, carry)

    def to_broker(self, endpoint: Endpoint, send: Callable[[], Answer]) -> Answer:
        """Pass a request on to a broker."""
        return self._pass(self._enter(endpoint.name), send)

    def _enter(self, operation: str) -> Point:
        self._counts[operation] += 1
        self.journal.append(Point(operation, self._counts[operation]))
        return self.journal[-1]

    def _pass[T](self, point: Point, carry: Callable[[], T]) -> T:
        if point == self.stop_before:
            raise Stopped
        try:
            return carry()
        finally:
            if point == self.stop_after:
                raise Stopped

    def _hits(self, aim: Aim, service: str, point: Point, tries: int) -> bool:
        if point == aim.point:
            self._reached = service
        match aim.scope:
            case Scope.TRY:
                return point == aim.point and tries == 1
            case Scope.CALL:
                return point == aim.point
            case Scope.OPERATION:
                return point.operation == aim.point.operation and point.nth >= aim.point.nth
            case Scope.SERVICE:
                return service == self._reached
