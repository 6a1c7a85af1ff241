"""Puts the callback function together from its settings and from the world that it is given."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping

from brokerlink.app_secrets import AppSecrets
from brokerlink.attempts import Attempts
from brokerlink.aws import AwsClients
from brokerlink.brokers.door import HttpDoor
from brokerlink.commit import Commits
from brokerlink.confirmation import Confirmation
from brokerlink.environment import required
from brokerlink.exchange import Services
from brokerlink.login import Login
from brokerlink.outbound import Outbound
from brokerlink.settings import web_settings
from brokerlink.storage import Table
from brokerlink.telemetry import Telemetry
from brokerlink.tokens import Sealer
from brokerlink.web.brokers import report_settings
from brokerlink.web.edge import Edge, Route
from confirm import Confirm, ShowAttempt
from finish import FinishCallback
from result import Result


def make_app(
    environment: Mapping[str, str],
    telemetry: Telemetry,
    aws: AwsClients,
    outbound: Outbound,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Edge:
    """Make the function. Raises `SettingError` where a setting is wrong that nothing can work without."""
    settings = web_settings(environment)
    report_settings(settings.brokers, telemetry, *settings.problems)

    def new_claim() -> str:
        # The name of one invocation's claim, which is also its commit's idempotency token (≤ 36 characters).
        return random_bytes(16).hex()

    dynamodb = aws.client("dynamodb")
    attempts_table = Table(dynamodb, settings.attempts_table)
    attempts = Attempts(attempts_table)
    tokens_table = Table(dynamodb, required(environment, "BROKERLINK_TOKENS_TABLE"))
    commits = Commits(attempts_table, tokens_table, sleep, monotonic)
    login = Login(
        Services(
            attempts=attempts,
            commits=commits,
            sealer=Sealer(aws.client("kms"), required(environment, "BROKERLINK_TOKEN_KEY")),
            secrets=AppSecrets(aws.client("secretsmanager"), required(environment, "BROKERLINK_SECRET"), monotonic),
            doors=lambda deadline: HttpDoor(outbound, deadline),
            clock=clock,
            monotonic=monotonic,
            sleep=sleep,
            new_claim=new_claim,
            direct_accounts=settings.direct_accounts,
        )
    )
    finish = FinishCallback(settings, login, telemetry, clock)
    confirmation = Confirmation(attempts=attempts, commits=commits, clock=clock, new_token=new_claim)
    routes = {
        "GET /callback/{broker}": Route(finish.get),
        "POST /callback/{broker}": Route(finish.post),
        "GET /result": Route(Result(settings, attempts, telemetry, clock)),
        "POST /confirm": Route(Confirm(confirmation, telemetry), backend=True),
        "GET /attempts/{attempt_id}": Route(ShowAttempt(attempts, clock), backend=True),
    }
    return Edge(routes, settings.base_url, telemetry, aws, monotonic)
