"""Puts the connections function together from its settings and from the world that it is given."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping

from brokerlink.aws import AwsClients
from brokerlink.environment import required
from brokerlink.links import Links
from brokerlink.revocation import Connections
from brokerlink.storage import Table
from brokerlink.telemetry import Telemetry
from brokerlink.web.edge import Edge, Route
from manage import EndConnection, ListConnections


def make_app(
    environment: Mapping[str, str],
    telemetry: Telemetry,
    aws: AwsClients,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Edge:
    """Make the function. Raises `SettingError` where a setting is wrong that nothing can work without."""

    def new_name() -> str:
        # Also a transaction's idempotency token (≤ 36 characters).
        return random_bytes(16).hex()

    dynamodb = aws.client("dynamodb")
    connections = Connections(
        tokens=Table(dynamodb, required(environment, "BROKERLINK_TOKENS_TABLE")),
        links=Links(Table(dynamodb, required(environment, "BROKERLINK_LINKS_TABLE"))),
        clock=clock,
        monotonic=monotonic,
        sleep=sleep,
        new_name=new_name,
    )
    routes = {
        "GET /connections/{user_id}": Route(ListConnections(connections), backend=True),
        "DELETE /connections/{user_id}/{broker}/{account}": Route(EndConnection(connections, telemetry), backend=True),
    }
    return Edge(routes, environment.get("BROKERLINK_BASE_URL") or None, telemetry, aws, monotonic)
