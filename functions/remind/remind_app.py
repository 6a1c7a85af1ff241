"""Puts the remind function together from its settings and from the world that it is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from brokerlink.aws import AwsClients
from brokerlink.environment import required
from brokerlink.errors import SettingError
from brokerlink.links import Links
from brokerlink.login_links import LoginLinks
from brokerlink.settings import broker_apps
from brokerlink.storage import Table
from brokerlink.telemetry import Telemetry
from brokerlink.web.edge import LambdaContext
from rounds import Rounds

# An AWS call that begins this many seconds before the end still ends.
_LAST_CALL_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind:
    """Makes the runs that the stack's schedules ask for. `lead_seconds` is None where no warning is asked for."""

    rounds: Rounds
    lead_seconds: int | None
    reminders: bool
    aws: AwsClients
    monotonic: Callable[[], float]

    def __call__(self, event: Mapping[str, Any], context: LambdaContext) -> None:
        """Make one run: `{"run": "ending" or "reminder", "time": "2026-11-23T17:30:00Z"}`.

        Raises `Unfinished`, which a later run of the same time makes good; `ValueError`, `KeyError` for no run of ours.
        """
        self.aws.no_try_after = self.monotonic() + context.get_remaining_time_in_millis() / 1000 - _LAST_CALL_SECONDS
        scheduled = int(datetime.fromisoformat(event["time"]).timestamp())
        match event["run"]:
            case "ending":
                if self.lead_seconds is not None:
                    self.rounds.expiring(scheduled, self.lead_seconds)
                if self.reminders:
                    self.rounds.noting(scheduled)
            case "reminder":
                self.rounds.reminder(scheduled)
            case _:
                raise ValueError("this is no run of ours")


def make_app(
    environment: Mapping[str, str],
    telemetry: Telemetry,
    aws: AwsClients,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> Remind:
    """Make the function. Raises `SettingError`."""
    dynamodb = aws.client("dynamodb")
    return Remind(
        rounds=Rounds(
            tokens=Table(dynamodb, required(environment, "BROKERLINK_TOKENS_TABLE")),
            links=Links(Table(dynamodb, required(environment, "BROKERLINK_LINKS_TABLE"))),
            brokers=sorted(broker_apps(environment.get("BROKERLINK_BROKER_APPS", ""))),
            login_links=LoginLinks(
                environment.get("BROKERLINK_LOGIN_URL", ""), environment.get("BROKERLINK_START_URL", "")
            ),
            telemetry=telemetry,
            clock=clock,
        ),
        lead_seconds=_minutes(environment.get("BROKERLINK_EXPIRING_MINUTES", "")),
        reminders=environment.get("BROKERLINK_REMINDERS") == "true",
        aws=aws,
        monotonic=monotonic,
    )


def _minutes(text: str) -> int | None:
    """Read `ExpiringMinutes`, in seconds; None where it is empty. Raises `SettingError`."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise SettingError("ExpiringMinutes", "has to be a whole number")
    return int(text) * 60
