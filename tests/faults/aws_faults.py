"""All that goes wrong between the SDK and AWS, as a table. Nothing of the SDK is replaced: it tries again by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from moto.core.botocore_stubber import MockRawResponse

from tests.faults.line import Stopped
from tests.kit.wire import Carry, Fault, cancelled

_HTML = b"<!doctype html><title>canary-html</title><h1>Scheduled maintenance</h1>"
_PADDING = b" " * 1024 * 1024
# A function is stopped by Lambda after so long.
_FUNCTION_SECONDS = 28.0


@dataclass(frozen=True)
class AwsFault:
    """One thing that goes wrong with a call; each try takes `seconds`. With `services`, at those alone.

    With `late`, the call is carried out in the end, when nobody waits for its answer any more.
    """

    fault: Fault
    seconds: float = 0.0
    late: bool = False
    services: frozenset[str] | None = None


def _never_arrives(error: type[BotoCoreError]) -> Fault:
    def fault(_: Carry, request: AWSPreparedRequest) -> AWSResponse:
        raise error(endpoint_url=request.url, error="canary")

    return fault


def _answer_lost(error: type[BotoCoreError]) -> Fault:
    """The call is carried out, and its answer lost."""

    def fault(carry: Carry, request: AWSPreparedRequest) -> AWSResponse:
        carry()
        raise error(endpoint_url=request.url, error="canary")

    return fault


def _drips(carry: Carry, _: AWSPreparedRequest) -> AWSResponse:
    """The call is carried out. urllib3 counts its timeout anew with every byte, so it is Lambda that ends this."""
    carry()
    raise Stopped


def _answer(request: AWSPreparedRequest, status: int, body: bytes, content_type: str, **headers: str) -> AWSResponse:
    raw: Any = MockRawResponse(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return AWSResponse(request.url, status, HTTPHeaders.from_dict({"content-type": content_type, **named}), raw)


def _elsewhere(status: int, body: bytes, content_type: str = "text/html", **headers: str) -> Fault:
    """Something that stands before AWS answers: no call is carried out."""
    return lambda _, request: _answer(request, status, body, content_type, **headers)


def _refused(status: int, codes: Mapping[str, str]) -> Fault:
    """AWS refuses with the service's own code, in its own protocol."""

    def fault(_: Carry, request: AWSPreparedRequest) -> AWSResponse:
        service = request.url.split("//")[1].split(".")[0]
        code = codes.get(service, codes[""])
        if service == "sns":
            xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>canary</Message></Error></ErrorResponse>"
            return _answer(request, status, xml.encode(), "text/xml")
        body = json.dumps({"__type": f"com.amazonaws#{code}", "message": "canary"})
        return _answer(request, status, body.encode(), "application/x-amz-json-1.0")

    return fault


def _conflict(carry: Carry, request: AWSPreparedRequest) -> AWSResponse:
    writes = json.loads(cast("bytes", request.body)).get("TransactItems")
    if writes is None:
        return _refused(400, {"": "TransactionConflictException"})(carry, request)
    return cancelled("TransactionConflict", *["None"] * (len(writes) - 1))(carry, request)


def _spoilt(spoil: Callable[[bytes], bytes]) -> Fault:
    """The call is carried out, and its answer arrives as something else, with the headers that it had."""

    def fault(carry: Carry, request: AWSPreparedRequest) -> AWSResponse:
        good = carry()
        raw: Any = MockRawResponse(spoil(good.content))
        return AWSResponse(request.url, good.status_code, HTTPHeaders.from_dict(dict(good.headers)), raw)

    return fault


def _wrong_types(body: bytes) -> bytes:
    if not body.startswith(b"{"):
        return b"<PublishResponse><PublishResult><Wrong/></PublishResult></PublishResponse>"
    wrong = {"Attributes": {"status": {"N": "x"}}, "Item": {"status": 7}, "CiphertextBlob": 7, "SecretString": []}
    return json.dumps({name: wrong.get(name, 7) for name in json.loads(body)}).encode()


FAULTS: Mapping[str, AwsFault] = {
    "refused": AwsFault(_never_arrives(EndpointConnectionError)),
    "connect timeout": AwsFault(_never_arrives(ConnectTimeoutError), 1),
    "reset before": AwsFault(_never_arrives(ConnectionClosedError)),
    "read timeout, not carried out": AwsFault(_never_arrives(ReadTimeoutError), 3),
    "read timeout, carried out": AwsFault(_answer_lost(ReadTimeoutError), 3),
    "read timeout, carried out late": AwsFault(_never_arrives(ReadTimeoutError), 3, late=True),
    "reset after": AwsFault(_answer_lost(ConnectionClosedError)),
    "slow drip": AwsFault(_drips, _FUNCTION_SECONDS),
    "throttled": AwsFault(_refused(400, {"": "ThrottlingException", "sqs": "RequestThrottled", "sns": "Throttled"})),
    "429 with Retry-After": AwsFault(_elsewhere(429, b"", retry_after="5")),
    "access denied": AwsFault(
        _refused(400, {"": "AccessDeniedException", "sns": "AuthorizationError", "sqs": "AccessDenied"})
    ),
    "validation": AwsFault(
        _refused(
            400,
            {
                "": "ValidationException",
                "secretsmanager": "InvalidParameterException",
                "sns": "InvalidParameter",
                "sqs": "InvalidMessageContents",
            },
        )
    ),
    "other 4xx": AwsFault(_refused(400, {"": "ExpiredTokenException"})),
    "internal error": AwsFault(_refused(500, {"": "InternalServerError", "sns": "InternalError"})),
    "503 with HTML": AwsFault(_elsewhere(503, _HTML)),
    "conflict": AwsFault(_conflict, services=frozenset({"dynamodb"})),
    "HTML": AwsFault(_elsewhere(200, _HTML)),
    "not JSON": AwsFault(_elsewhere(200, b"canary", "text/plain")),
    "truncated": AwsFault(_spoilt(lambda body: body[: len(body) // 2])),
    "oversized": AwsFault(_spoilt(lambda body: body + _PADDING)),
    "JSON of wrong types": AwsFault(_spoilt(_wrong_types)),
}
