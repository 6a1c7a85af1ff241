"""Begins a login the way that tutorials do: a web framework, a tracer, boto3's resources, everything at the top."""

import os
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayHttpResolver()
dynamodb: Any = boto3.resource("dynamodb")
attempts = dynamodb.Table(os.environ["ATTEMPTS_TABLE"])


@app.get("/authorize/<broker>")
@tracer.capture_method
def authorize(broker: str) -> Response[str]:
    """Store a state and send the browser to the broker."""
    state = secrets.token_urlsafe(32)
    now = int(time.time())
    attempts.put_item(Item={"attempt_id": state, "broker": broker, "expires_at": now + 600, "ttl": now + 4200})
    metrics.add_metric(name="started", unit="Count", value=1)
    query = urlencode(
        {
            "response_type": "code",
            "client_id": os.environ["CLIENT_ID"],
            "redirect_uri": os.environ["REDIRECT_URI"],
            "scope": "orders holdings",
            "state": state,
        }
    )
    return Response(303, headers={"Location": f"{os.environ['AUTHORIZE_URL']}?{query}"})


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    return app.resolve(event, context)
