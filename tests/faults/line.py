"""The line: all that leaves the functions, to AWS and to brokers alike, passes here and can be stopped here."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.retries.quota import RetryQuota

from brokerlink.aws import AwsClients
from brokerlink.outbound import Answer, NoAnswer, NotSent, Outbound, Request
from brokerlink.outbound.client import MAX_SECONDS
from brokerlink.outbound.connection import CONNECT_SECONDS
from tests.faults.brokers import Endpoint, FaultyBrokers, Road
from tests.kit import wire
from tests.kit.core import Clock
from tests.unit.outbound_server import PATIENCE

# What a request gets that is going to hang; meanwhile all of its time passes on the clock that stands still.
_HURRIED_SECONDS = 0.15
# More than a client's budget for tries.
_ALL_TRIES = 10_000


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


@dataclass(frozen=True)
class Aim:
    """A fault, the calls to AWS that it meets, and the seconds that it takes of each try."""

    point: Point
    scope: Scope
    fault: wire.Fault
    seconds: float = 0.0


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

    def mend(self) -> None:
        """Let everything through again."""
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


class LinedClients(AwsClients):
    """AWS clients as the functions make them, with the SDK's own tries, on moto beyond the line.

    Making a client takes longer than a login, so they are made once, and `renew` makes them as new: a cold start.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, list[tuple[Any, _LinedWire]]] = defaultdict(list)
        self._quotas: list[RetryQuota] = []
        self._given: Counter[str] = Counter()

    def renew(self, line: Line) -> None:
        """Give the clients out from the first again, behind this line, with nothing left of what they went through."""
        self.line = line
        self.monotonic = line.clock
        self.no_try_after = float("inf")
        self._given.clear()
        for quota in self._quotas:
            quota.release(_ALL_TRIES)

    def client(self, service: Any) -> Any:
        """Give a client of a service."""
        number = self._given[service]
        self._given[service] += 1
        if number == len(self._made[service]):
            self._made[service].append(self._make(service))
        made, wire = self._made[service][number]
        wire.renew()
        wire.line = self.line
        return made

    def _make(self, service: Any) -> tuple[Any, _LinedWire]:
        def keep() -> RetryQuota:
            self._quotas.append(RetryQuota())
            return self._quotas[-1]

        with mock.patch("botocore.retries.quota.RetryQuota", keep):
            made = super().client(service)
        return made, _LinedWire(made, service, self.line)


class _LinedWire(wire.Wire):
    """The kit's wire, for what it knows that moto does not; whether a call gets there is for the line to say."""

    def __init__(self, client: Any, service: str, line: Line) -> None:
        super().__init__(client)
        self.service = service
        self.line = line

    def _send(self, request: AWSPreparedRequest, event_name: str, **event: Any) -> AWSResponse:
        operation = event_name.rsplit(".", 1)[1]
        carry = super()._send
        return self.line.to_aws(self.service, operation, request, lambda: carry(request, event_name, **event))


class LinedOutbound:
    """Stands where `Outbound` does, and passes every request on to it.

    The deadline is kept by `Outbound` on a clock that runs, and its passing is told to the world's, which stands still:
    a request that the brokers are going to leave hanging gets a moment in place of its seconds.
    """

    def __init__(self, line: Line, brokers: FaultyBrokers) -> None:
        self.line = line
        self.brokers = brokers
        self.outbound = _outbound(brokers)

    def send(self, request: Request, *, deadline: float, fresh: bool) -> Answer:
        """Send a request. Raises what `Outbound` raises."""
        endpoint = Endpoint(request.url.removeprefix(self.brokers.url))
        return self.line.to_broker(endpoint, lambda: self._send(endpoint, request, deadline, fresh=fresh))

    def _send(self, endpoint: Endpoint, request: Request, deadline: float, *, fresh: bool) -> Answer:
        fault = self.brokers.expect(endpoint)
        if fault is None or not fault.hangs:
            return self.outbound.send(request, deadline=time.monotonic() + PATIENCE, fresh=fresh)
        while True:
            try:
                return self.outbound.send(request, deadline=time.monotonic() + _HURRIED_SECONDS, fresh=fresh)
            except NotSent:
                if fault.road is Road.SILENT:
                    self._pass_time(CONNECT_SECONDS, deadline)
                    raise
                # This machine was slow, not the broker.
            except NoAnswer:
                assert self.brokers.arrived.wait(PATIENCE), "the request was sent and never arrived"
                self._pass_time(MAX_SECONDS, deadline)
                raise

    def _pass_time(self, seconds: float, deadline: float) -> None:
        clock = self.line.clock
        clock.now += min(seconds, deadline - clock.now)


@cache
def _outbound(brokers: FaultyBrokers) -> Outbound:
    return Outbound(resolve=brokers.resolve)
