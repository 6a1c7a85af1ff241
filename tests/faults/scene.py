"""Both functions and announce on moto, brokers behind real sockets, and all of it between clock and line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import botocore.endpoint
from aws_lambda_powertools import Logger

import authorize_app
import callback_app
from brokerlink.aws import AwsClients
from brokerlink.outbound import Outbound
from publish import Publisher
from tests.faults.brokers import FaultyBrokers
from tests.faults.line import Handover, Line, Stopped
from tests.faults.lined import LinedOutbound, aws_clients
from tests.faults.listening import Listening, counted
from tests.kit import emulated
from tests.kit.clients import client
from tests.kit.core import USER, Clock
from tests.kit.world import RETURN_TO, Browser, Reply, World

BASE_URL = "http://127.0.0.1:8000"
# The gateway gives up after 30.
ANSWER_SECONDS = 25.0
SECRETS = {
    "pocketful": {"client_secret": "canary:+%/ \N{LATIN SMALL LETTER E WITH ACUTE}"},
    "fivepaisa": {"encryption_key": "canary-encryption-key", "user_id": "canary-user-id"},
}


class Scene(World):
    """The kit's world with announce, with the SDK's own tries, and with the HTTP client that brokers see.

    `failures` are the exceptions that were told of. `printed` is all that went to the function's log, whatever library
    it is from. A request that the process does not survive has no reply, and leaves a process that starts cold; `stops`
    counts them.
    """

    host = BASE_URL.removeprefix("http://")

    def __init__(self, brokers: FaultyBrokers, printed: io.StringIO) -> None:
        self.brokers = brokers
        self.printed = printed
        self.line = Line(Clock())
        self.failures: list[BaseException] = []
        brokers.renew()
        brokers.rotate = self.rotate
        self.topic, self.queue = emulated.create_topic(), emulated.create_queue()
        super().__init__(
            {
                "pocketful": {
                    "client_id": "client",
                    "auth_base": f"{brokers.url}/pocketful",
                    "api_base": f"{brokers.url}/pocketful",
                },
                "fivepaisa": {
                    "vendor_key": "vendor",
                    "login_base": f"{brokers.url}/fivepaisa",
                    "api_base": f"{brokers.url}/fivepaisa",
                },
            },
            SECRETS,
            BROKERLINK_BASE_URL=BASE_URL,
        )
        images = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        client("dynamodb").update_table(TableName="Tokens", StreamSpecification=cast("Any", images))
        self.delivered = 0
        self.handover = Handover.GOOD
        self.planted: set[str] = set()
        self.stops = 0
        self.replies: list[Reply] = []

    def clients(self) -> AwsClients:
        """Give the functions' AWS clients, as new."""
        made = aws_clients()
        made.renew(self.line)
        return made

    def build(self) -> None:
        """Put all three functions together, as a cold start does."""
        self.clock = self.line.clock
        self.aws = self.clients()
        telemetry = Listening(self.failures, Logger(service="faults", stream=self.printed, level="DEBUG"))
        self.functions = {
            "authorize": authorize_app.make_app(
                self.environment, telemetry, self.aws, clock=self.clock, monotonic=self.clock
            ),
            "callback": callback_app.make_app(
                self.environment,
                telemetry,
                self.aws,
                cast("Outbound", LinedOutbound(self.line, self.brokers)),
                clock=self.clock,
                monotonic=self.clock,
                sleep=self.clock.sleep,
            ),
        }
        self.publisher = Publisher(
            sns=self.aws.client("sns"),
            sqs=self.aws.client("sqs"),
            topic=self.topic,
            dead_letters=self.queue,
            source="brokerlink/faults",
            telemetry=telemetry,
        )

    def _start_cold(self) -> None:
        self.stops += 1
        self.build()

    def ask(self, browser: Browser, target: str) -> Reply | None:
        """Let a browser open a URL."""
        return self._answered(lambda: browser.get(target))

    def confirm_held(self, attempt_id: str) -> Reply | None:
        """Let the platform confirm a held login."""
        return self._answered(lambda: self.confirm(attempt_id, USER))

    def prepare(self, broker: str) -> Reply | None:
        """Let the platform prepare a session."""
        return self._answered(lambda: self.session(broker=broker, user_id=USER, return_to=RETURN_TO))

    def _answered(self, ask: Callable[[], Reply]) -> Reply | None:
        began = self.clock.now
        try:
            reply = ask()
        except Stopped:
            self._start_cold()
            return None
        assert self.clock.now - began <= ANSWER_SECONDS, "the answer took too long"
        self.replies.append(reply)
        return reply

    def mend(self) -> None:
        """End every fault."""
        self.line.mend()
        self.brokers.mend()
        self.handover = Handover.GOOD

    def rotate(self) -> None:
        """Replace the secret of the Pocketful app."""
        rotated = {**SECRETS, "pocketful": {"client_secret": "canary-rotated"}}
        client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=json.dumps(rotated))

    # the stream

    def deliver(self) -> str:
        """Hand announce the records that it has not taken yet, as Lambda does, and tell what it made of them."""
        batch = emulated.records("Tokens")[self.delivered :]
        again = f"{len(batch)} of {len(batch)} come again"
        if self.handover is Handover.NOT_MADE:
            return again
        try:
            failed = self.publisher(batch)
        except Stopped:
            self._start_cold()
            return "stopped"
        except Exception as error:  # noqa: BLE001 - Lambda takes whatever a function raises for a failed batch
            return f"raised {type(error).__name__}"
        if self.handover is Handover.ANSWER_LOST:
            return again
        self.delivered += len(batch) - len(failed)
        return f"{len(failed)} of {len(batch)} come again"

    def drain(self) -> None:
        """Deliver until nothing comes again."""
        while self.delivered < len(emulated.records("Tokens")):
            assert self.deliver().startswith("0 of"), "a record is stuck in the stream"

    def replay(self) -> None:
        """Deliver all of the stream once more: delivery is at least once."""
        self.delivered = 0
        self.handover = Handover.GOOD
        self.drain()

    def attempts(self) -> list[dict[str, Any]]:
        """Give the attempts, without the sessions among them."""
        return [row for row in emulated.rows("LoginAttempts") if "browser_hash" in row]

    def tokens(self) -> list[dict[str, Any]]:
        """Give the rows of Tokens."""
        return emulated.rows("Tokens")

    @property
    def metrics(self) -> list[str]:
        """The metrics that were counted, in their order."""
        return counted(self.printed.getvalue())


@contextmanager
def scene(brokers: FaultyBrokers) -> Iterator[Scene]:
    """Give a scene on the running moto, as new. Every library writes to `printed`, and the SDK sleeps on the clock."""
    printed = io.StringIO()
    every_line = logging.StreamHandler(printed)
    logging.getLogger("moto").setLevel(logging.WARNING)
    root = logging.getLogger()
    level = root.level
    emulated.renew()
    with redirect_stdout(printed):
        made = Scene(brokers, printed)
        naps = SimpleNamespace(sleep=lambda _: cast("Clock", made.clock).sleep(0.5))
        root.addHandler(every_line)
        root.setLevel(logging.DEBUG)
        try:
            with mock.patch.object(botocore.endpoint, "time", naps):
                yield made
        finally:
            root.removeHandler(every_line)
            root.setLevel(level)
