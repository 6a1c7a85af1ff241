"""The remind function: a schedule's run in, and on the rows of Links what is to be told; announce tells it."""

from __future__ import annotations

from typing import Any

from brokerlink.cold_start import loading

with loading():
    import os

    from aws_lambda_powertools import Logger

    from brokerlink.aws import AwsClients
    from brokerlink.telemetry import Telemetry
    from brokerlink.web.edge import LambdaContext
    from remind_app import make_app

    logger = Logger()
    app = make_app(os.environ, Telemetry(logger), AwsClients())


@logger.inject_lambda_context(log_event=False, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Make one run. Raises where it could not be made whole: Lambda makes it again."""
    app(event, context)
