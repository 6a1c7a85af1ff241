"""The connections function: a platform's backend lists its users' connections, and ends one."""

from __future__ import annotations

from typing import Any

from brokerlink.cold_start import loading

with loading():
    import os

    from aws_lambda_powertools import Logger

    from brokerlink.aws import AwsClients
    from brokerlink.telemetry import Telemetry
    from brokerlink.web.edge import LambdaContext
    from connections_app import make_app

    logger = Logger()
    app = make_app(os.environ, Telemetry(logger), AwsClients())


@logger.inject_lambda_context(log_event=False, clear_state=True, correlation_id_path="requestContext.requestId")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    return app(event, context)
