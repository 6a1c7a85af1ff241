"""Puts the authorize function together from its settings and from the world that it is given."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping

from brokerlink.attempts import Attempts
from brokerlink.aws import AwsClients
from brokerlink.begin import Beginning
from brokerlink.sessions import Sessions
from brokerlink.settings import web_settings
from brokerlink.storage import Table
from brokerlink.telemetry import Telemetry
from brokerlink.web.brokers import report_settings
from brokerlink.web.edge import Edge, Route
from home import Home
from prepare import Prepare
from start import Authorize


def make_app(
    environment: Mapping[str, str],
    telemetry: Telemetry,
    aws: AwsClients,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Edge:
    """Make the function. Raises `SettingError` where a setting is wrong that nothing can work without."""
    settings = web_settings(environment)
    report_settings(settings.brokers, telemetry, *settings.problems)
    table = Table(aws.client("dynamodb"), settings.attempts_table)
    beginning = Beginning(
        attempts=Attempts(table),
        sessions=Sessions(table),
        clock=clock,
        random_bytes=random_bytes,
        direct_accounts=settings.direct_accounts,
        attempt_seconds=settings.attempt_seconds,
    )
    routes = {
        "GET /": Route(Home(settings, clock)),
        "GET /authorize/{broker}": Route(Authorize(settings, beginning, telemetry)),
        "POST /sessions": Route(Prepare(settings, beginning, telemetry), backend=True),
    }
    return Edge(routes, settings.base_url, telemetry, aws, monotonic)
