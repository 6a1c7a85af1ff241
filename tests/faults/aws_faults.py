"""All that goes wrong between the SDK and AWS, as a table. Nothing of the SDK is replaced: it tries again by itself."""

from __future__ import annotations

import json
import time
from binascii import crc32
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
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

from brokerlink.aws import AwsClients
from brokerlink.aws_connections import current_try
from brokerlink.outbound.countdown import Countdown
from tests.kit.wire import Carry, Fault, cancelled
from tests.unit.outbound_server import Peer, Server

_HTML = b"<!doctype html><title>canary-html</title><h1>Scheduled maintenance</h1>"
_PADDING = b" " * 1024 * 1024
# What a try gets whose answer is going to drip; meanwhile three seconds pass on the clock that stands still.
_HURRIED_SECONDS = 0.05


class Kind(StrEnum):
    """What a call is, as far as it matters to what can go wrong with it."""

    READ = "read"
    DYNAMODB_WRITE = "DynamoDB write"
    OTHER_WRITE = "other write"


_WRITES = frozenset({Kind.DYNAMODB_WRITE, Kind.OTHER_WRITE})
_KINDS = {
    "GetItem": Kind.READ,
    "GetSecretValue": Kind.READ,
    "Encrypt": Kind.READ,
    "PutItem": Kind.DYNAMODB_WRITE,
    "UpdateItem": Kind.DYNAMODB_WRITE,
    "TransactWriteItems": Kind.DYNAMODB_WRITE,
    "Publish": Kind.OTHER_WRITE,
    "SendMessage": Kind.OTHER_WRITE,
}


@dataclass(frozen=True)
class AwsFault:
    """One thing that goes wrong with a call of one of `kinds`; each try takes `seconds`.

    With `late`, the call is carried out in the end, when nobody waits for its answer any more.
    """

    fault: Fault
    seconds: float = 0.0
    late: bool = False
    kinds: frozenset[Kind] = frozenset(Kind)


def faults_of(operation: str) -> list[str]:
    """Give the names of all that can go wrong with an operation."""
    return [name for name, fault in FAULTS.items() if _KINDS[operation] in fault.kinds]


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


def _drips(carry: Carry, request: AWSPreparedRequest) -> AWSResponse:
    """The call is carried out, and its answer drips on a real socket, into the SDK's own session, which has less time.

    That the time which it has is a try's is what the unit tests of the connections are for.
    """
    carry()
    current_try.set(Countdown(time.monotonic, time.monotonic() + _HURRIED_SECONDS))
    with Server(_dripping) as server:
        dripping = AWSPreparedRequest("POST", server.url(), request.headers, request.body, stream_output=False)
        return cast("AWSResponse", _session().send(dripping))


def _dripping(peer: Peer) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000, pause=0.005)


@cache
def _session() -> Any:
    return cast("Any", AwsClients().client("dynamodb"))._endpoint.http_session


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


def _spoilt(spoil: Callable[[bytes], bytes], *, sealed: bool) -> Fault:
    """The call is carried out, and its answer arrives as something else.

    Where that is `sealed`, its length and checksum are right, and only what it says is not.
    """

    def fault(carry: Carry, request: AWSPreparedRequest) -> AWSResponse:
        good = carry()
        spoilt = spoil(good.content)
        headers = {name.lower(): value for name, value in good.headers.items()}
        headers["content-length"] = str(len(good.content))
        if sealed:
            headers |= {"content-length": str(len(spoilt)), "x-amz-crc32": str(crc32(spoilt))}
        raw: Any = MockRawResponse(spoilt)
        return AWSResponse(request.url, good.status_code, HTTPHeaders.from_dict(headers), raw)

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
    "read timeout": AwsFault(_never_arrives(ReadTimeoutError), 3, kinds=frozenset({Kind.READ})),
    "read timeout, not carried out": AwsFault(_never_arrives(ReadTimeoutError), 3, kinds=_WRITES),
    "read timeout, carried out": AwsFault(_answer_lost(ReadTimeoutError), 3, kinds=_WRITES),
    "read timeout, carried out late": AwsFault(_never_arrives(ReadTimeoutError), 3, late=True, kinds=_WRITES),
    "reset after": AwsFault(_answer_lost(ConnectionClosedError)),
    "slow drip": AwsFault(_drips, 3),
    "4xx, throttled": AwsFault(
        _refused(400, {"": "ThrottlingException", "sqs": "RequestThrottled", "sns": "Throttled"})
    ),
    "4xx, access denied": AwsFault(
        _refused(400, {"": "AccessDeniedException", "sns": "AuthorizationError", "sqs": "AccessDenied"})
    ),
    "4xx, validation": AwsFault(
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
    "4xx, credentials ran out": AwsFault(_refused(400, {"": "ExpiredTokenException"})),
    "429 with Retry-After": AwsFault(_elsewhere(429, b"", retry_after="5")),
    "5xx, internal error": AwsFault(_refused(500, {"": "InternalServerError", "sns": "InternalError"})),
    "5xx, 503 with HTML": AwsFault(_elsewhere(503, _HTML)),
    "conflict": AwsFault(_conflict, kinds=frozenset({Kind.DYNAMODB_WRITE})),
    "HTML": AwsFault(_elsewhere(200, _HTML)),
    "not JSON": AwsFault(_elsewhere(200, b"canary", "text/plain")),
    "truncated": AwsFault(_spoilt(lambda body: body[: len(body) // 2], sealed=False)),
    "oversized": AwsFault(_spoilt(lambda body: body + _PADDING, sealed=True)),
    "wrong types": AwsFault(_spoilt(_wrong_types, sealed=True)),
}
