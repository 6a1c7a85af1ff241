"""The callback function: finishes logins, shows their outcome, and confirms those that are held."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from brokerlink.aws import AwsClients
from brokerlink.outbound import Outbound
from brokerlink.telemetry import Telemetry
from callback_app import make_app

logger = Logger()
app = make_app(os.environ, Telemetry(logger), AwsClients(), Outbound())


# The event is never logged, whatever the environment says: its query and cookies are secrets.
@logger.inject_lambda_context(log_event=False, clear_state=True, correlation_id_path="requestContext.requestId")
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    return app(event, context)
