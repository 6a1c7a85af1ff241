"""A login as a general OAuth client does it in a web framework: Authlib with Flask, in Lambda by way of WSGI.

The work is ours as far as the client offers it: state and PKCE (kept in Flask's signed cookie), exchange, account,
encrypted storage. What it leaves out makes it faster, not slower: no claim, no transaction, no deadline.
"""

import os
import time
from typing import Any
from urllib.parse import quote_plus

import boto3
from authlib.integrations.flask_client import OAuth
from aws_lambda_powertools.utilities import parameters
from flask import Flask, redirect
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

secret: Any = parameters.get_secret(os.environ["SECRET"], transform="json")
dynamodb: Any = boto3.resource("dynamodb")
tokens = dynamodb.Table(os.environ["TOKENS_TABLE"])
kms = boto3.client("kms")

app = Flask(__name__)
app.secret_key = "one for a benchmark"  # noqa: S105 - it keeps nobody out
oauth: Any = OAuth(app)
broker: Any = oauth.register(
    "pocketful",
    client_id=os.environ["CLIENT_ID"],
    client_secret=quote_plus(secret["pocketful"]["client_secret"]),
    authorize_url=os.environ["AUTHORIZE_URL"],
    access_token_url=os.environ["TOKEN_URL"],
    client_kwargs={"scope": "orders holdings", "code_challenge_method": "S256"},
)


@app.get("/authorize/pocketful")
def authorize() -> Response:
    """Keep a state and send the browser to the broker."""
    answer: Response = broker.authorize_redirect(os.environ["REDIRECT_URI"])
    return answer


@app.get("/callback/pocketful")
def callback() -> Response:
    """Exchange the code and store the token."""
    token = broker.authorize_access_token()
    reply = broker.get(os.environ["ACCOUNT_URL"], token=token)
    reply.raise_for_status()
    account = reply.json()["data"]["client_id"]
    sealed = kms.encrypt(KeyId=os.environ["TOKEN_KEY"], Plaintext=token["access_token"].encode())
    tokens.put_item(
        Item={
            "user_id": account,
            "connection": f"pocketful#{account}",
            "shard": "pocketful#00",
            "ciphertext": sealed["CiphertextBlob"],
            "expires_at": int(time.time()) + 3600,
        }
    )
    return redirect("/result", 303)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    del context
    headers = Headers(event["headers"])
    headers["cookie"] = "; ".join(event.get("cookies", []))
    request = EnvironBuilder(
        path=event["rawPath"],
        query_string=event["rawQueryString"],
        method=event["requestContext"]["http"]["method"],
        headers=headers,
    )
    body, status, answered = run_wsgi_app(app.wsgi_app, request.get_environ(), buffered=True)
    return {
        "statusCode": int(status.split()[0]),
        "headers": dict(answered),
        "cookies": answered.getlist("Set-Cookie"),
        "body": b"".join(body).decode(),
    }
