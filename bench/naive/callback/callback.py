"""Finishes a login the way that tutorials do: a web framework, a tracer, boto3's resources, everything at the top."""

import json
import os
import time
from typing import Any
from urllib.parse import quote_plus

import boto3
import requests
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayHttpResolver()
dynamodb: Any = boto3.resource("dynamodb")
attempts = dynamodb.Table(os.environ["ATTEMPTS_TABLE"])
tokens = dynamodb.Table(os.environ["TOKENS_TABLE"])
kms = boto3.client("kms")
sns = boto3.client("sns")


@app.get("/callback/<broker>")
@tracer.capture_method
def callback(broker: str) -> Response[str]:
    """Exchange the code, and store and announce the token."""
    query = app.current_event.query_string_parameters
    attempt = attempts.get_item(Key={"attempt_id": query["state"]})["Item"]
    attempts.delete_item(Key={"attempt_id": attempt["attempt_id"]})
    secret: Any = parameters.get_secret(os.environ["SECRET"], transform="json", max_age=300)
    reply = requests.post(
        os.environ["TOKEN_URL"],
        data={
            "grant_type": "authorization_code",
            "code": query["code"],
            "redirect_uri": os.environ["REDIRECT_URI"],
        },
        auth=(quote_plus(os.environ["CLIENT_ID"]), quote_plus(secret[broker]["client_secret"])),
        timeout=10,
    )
    reply.raise_for_status()
    token = reply.json()["access_token"]
    reply = requests.get(os.environ["ACCOUNT_URL"], headers={"Authorization": f"Bearer {token}"}, timeout=10)
    reply.raise_for_status()
    account = reply.json()["data"]["client_id"]
    sealed = kms.encrypt(KeyId=os.environ["TOKEN_KEY"], Plaintext=token.encode())
    tokens.put_item(
        Item={
            "user_id": account,
            "connection": f"{broker}#{account}",
            "shard": f"{broker}#00",
            "ciphertext": sealed["CiphertextBlob"],
            "expires_at": int(time.time()) + 3600,
        }
    )
    sns.publish(TopicArn=os.environ["TOPIC"], Message=json.dumps({"broker": broker, "account": account}))
    metrics.add_metric(name="connected", unit="Count", value=1)
    return Response(303, headers={"Location": f"/result?attempt={attempt['attempt_id']}"})


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    return app.resolve(event, context)
