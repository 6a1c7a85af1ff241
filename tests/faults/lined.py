"""The functions' ways to AWS and to brokers as they are, led through the line."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from contextlib import AbstractContextManager, nullcontext
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
from tests.faults.line import Line
from tests.kit import wire
from tests.unit.outbound_server import PATIENCE

# What a request gets that is going to hang; meanwhile all of its time passes on the clock that stands still.
_HURRIED_SECONDS = 0.15
# More than a client's budget for tries.
_ALL_TRIES = 10_000


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

    def opening(self, url: str, *, deadline: float) -> AbstractContextManager[None]:
        """Open nothing: a fault is met by the request, and counted there."""
        del url, deadline
        return nullcontext()

    def send(self, request: Request, *, deadline: float, fresh: bool) -> Answer:
        """Send a request. Raises what `Outbound` raises."""
        endpoint = Endpoint(request.url.removeprefix(self.brokers.url))
        return self.line.to_broker(endpoint, lambda: self._send(endpoint, request, deadline, fresh=fresh))

    def _send(self, endpoint: Endpoint, request: Request, deadline: float, *, fresh: bool) -> Answer:
        fault = self.brokers.expect(endpoint)
        while fault is None or not fault.hangs:
            try:
                return self.outbound.send(request, deadline=time.monotonic() + PATIENCE, fresh=fresh)
            except NotSent as error:
                # Opening a connection has three seconds: this machine was slow, not the broker.
                if error.reason != "timeout":
                    raise
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
    return Outbound(verify=str(brokers.bundle), resolve=brokers.resolve)


@cache
def aws_clients() -> LinedClients:
    """Give the clients that all scenes use, one after the other."""
    return LinedClients()
