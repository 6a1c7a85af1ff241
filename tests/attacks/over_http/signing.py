"""Signature Version 4 as botocore makes it, for any moment, scope and credentials."""

from __future__ import annotations

from datetime import datetime

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.attacks.over_http.wire import Header


def sign(
    method: str,
    url: str,
    body: bytes = b"",
    *,
    at: datetime,
    access_key: str = "local",
    secret: str = "local",
    service: str = "execute-api",
    region: str = "ap-south-1",
) -> list[Header]:
    """Give the headers of a request that was signed `at` a moment, Content-Type among them."""
    signer = SigV4Auth(Credentials(access_key, secret), service, region)
    date = at.strftime(SIGV4_TIMESTAMP)
    request = AWSRequest(method, url, {"Content-Type": "application/json", "X-Amz-Date": date}, body)
    request.context["timestamp"] = date
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    signed = signer.signed_headers(signer.headers_to_sign(request))
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={signed}, Signature={signature}"
    )
    return [*((name, str(value)) for name, value in request.headers.items()), ("Authorization", authorization)]
