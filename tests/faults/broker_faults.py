"""All that goes wrong at a broker, as a table: on the way to it, and in what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.faults.brokers import BrokerFault, Endpoint, Road, Script
from tests.unit.outbound_server import Peer, answer

_HTML = b"<!doctype html><title>canary-html</title><h1>Scheduled maintenance</h1>"
_PADDING = b" " * 100_000


def _says(body: bytes | object, *headers: str, status: str = "200 OK") -> Script:
    """Answer with this instead; what is not bytes is written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def script(peer: Peer, _: bytes) -> None:
        # The connection ends after it. Untold, the next request might go out on it a moment earlier.
        peer.send(answer(raw, "Connection: close", *headers, status=status))

    return script


def _hangs(peer: Peer, _: bytes) -> None:
    peer.hang()


def _resets(peer: Peer, _: bytes) -> None:
    peer.reset()


def _hangs_up(_: Peer, __: bytes) -> None:
    pass


def _drips_headers(peer: Peer, good: bytes) -> None:
    peer.drip(answer(good))


def _drips_body(peer: Peer, good: bytes) -> None:
    peer.send(answer(b"", length=len(good)))
    peer.drip(good)


def _truncates(peer: Peer, good: bytes) -> None:
    peer.send(answer(good)[:-20])


def _pads(peer: Peer, good: bytes) -> None:
    peer.send(answer(good + _PADDING))


EVERYWHERE: Mapping[str, BrokerFault] = {
    "name not found": BrokerFault(Road.NO_NAME),
    "refused": BrokerFault(Road.REFUSED),
    "connect timeout": BrokerFault(Road.SILENT, hangs=True),
    "reset before": BrokerFault(Road.RESET),
    "read timeout": BrokerFault(script=_hangs, hangs=True),
    "reset after, unread": BrokerFault(Road.UNREAD),
    "reset after": BrokerFault(script=_resets),
    "closed without an answer": BrokerFault(script=_hangs_up),
    "slow drip of the headers": BrokerFault(script=_drips_headers, hangs=True),
    "slow drip of the body": BrokerFault(script=_drips_body, hangs=True),
    "302": BrokerFault(script=_says(b"", "Location: /elsewhere", status="302 Found")),
    "4xx, 400 with HTML": BrokerFault(script=_says(_HTML, status="400 Bad Request")),
    "4xx, 404 with HTML": BrokerFault(script=_says(_HTML, status="404 Not Found")),
    "429 with Retry-After": BrokerFault(script=_says(b"", "Retry-After: 1800", status="429 Too Many Requests")),
    "5xx, 500 with HTML": BrokerFault(script=_says(_HTML, status="500 Internal Server Error")),
    "5xx, 503 with Retry-After": BrokerFault(
        script=_says(_HTML, "Retry-After: 1800", status="503 Service Unavailable")
    ),
    "HTML": BrokerFault(script=_says(_HTML)),
    "truncated": BrokerFault(script=_truncates),
    "oversized": BrokerFault(script=_pads),
    "empty": BrokerFault(script=_says(b"")),
    "not JSON": BrokerFault(script=_says(b"access_token=canary-access-token")),
    "wrong types, a list": BrokerFault(script=_says([])),
}
_POCKETFUL_TOKEN = {
    "wrong types": BrokerFault(script=_says({"access_token": 7, "expires_in": [], "scope": {}})),
    "4xx, invalid_grant": BrokerFault(script=_says({"error": "invalid_grant"}, status="400 Bad Request")),
    "200 with an error": BrokerFault(script=_says({"error": "server_error"})),
    "4xx, invalid_client": BrokerFault(script=_says({"error": "invalid_client"}, status="401 Unauthorized")),
    "4xx, invalid_client, secret changed": BrokerFault(
        script=_says({"error": "invalid_client"}, status="401 Unauthorized"), rotates=True
    ),
    "4xx, 401 with HTML, secret changed": BrokerFault(script=_says(_HTML, status="401 Unauthorized"), rotates=True),
}
_POCKETFUL_IDENTITY = {
    "wrong types": BrokerFault(script=_says({"status": "success", "data": {"client_id": 7}})),
    "4xx, invalid_token": BrokerFault(script=_says({"error": "invalid_token"}, status="401 Unauthorized")),
    "4xx, 403 error_type": BrokerFault(script=_says({"error_type": "TokenException"}, status="403 Forbidden")),
    "200 with an error": BrokerFault(script=_says({"status": "error"})),
}
_FIVEPAISA_TOKEN = {
    "wrong types": BrokerFault(script=_says({"head": [], "body": {"Status": 0, "AccessToken": [], "ClientCode": 7}})),
    "200 head status 2": BrokerFault(script=_says({"head": {"Status": 2}, "body": None})),
    "200 body status 2": BrokerFault(script=_says({"head": {"Status": 0}, "body": {"Status": 2}})),
    "200 body status 9": BrokerFault(script=_says({"head": {"Status": 0}, "body": {"Status": 9}})),
    "200 body status -1": BrokerFault(script=_says({"head": {"Status": 0}, "body": {"Status": -1}})),
}
AT: Mapping[Endpoint, Mapping[str, BrokerFault]] = {
    Endpoint.POCKETFUL_TOKEN: {**EVERYWHERE, **_POCKETFUL_TOKEN},
    Endpoint.POCKETFUL_IDENTITY: {**EVERYWHERE, **_POCKETFUL_IDENTITY},
    Endpoint.FIVEPAISA_TOKEN: {**EVERYWHERE, **_FIVEPAISA_TOKEN},
}
