"""Signs what schemathesis sends to signed routes, as the local stack's caller; contracts/schemathesis.toml loads it."""

from __future__ import annotations

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from schemathesis.auths import GLOBAL_AUTH_STORAGE

from local.aws import ACCESS_KEY, REGION, SECRET_KEY
from local.sigv4 import SERVICE


class Signature(requests.auth.AuthBase):
    """Adds AWS Signature Version 4 to a request that is otherwise ready."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        signed = AWSRequest(str(request.method), str(request.url), data=request.body or b"")
        SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), SERVICE, REGION).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


GLOBAL_AUTH_STORAGE.set_from_requests(Signature()).apply_to(tag="backend")
