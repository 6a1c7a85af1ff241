"""Events as an HTTP API sends them: payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html says
what the event holds; where it leaves the details open, they are those of events captured from live HTTP APIs.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from local.http1 import Request
from local.routing import Match

API_ID = "local"

# Captured from live HTTP APIs (ministackorg/ministack pull request 766, floci-io/floci issue 2172):
# everything else, application/x-www-form-urlencoded and a missing type included, arrives base64-encoded.
_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript", "application/graphql"})
# RFC 9110 §7.6.1: meant for the next hop, which ends at the gateway. Cookies have a field of their own.
_KEPT_BACK = frozenset(
    {
        "connection",
        "cookie",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Caller:
    """The IAM user who signed a request."""

    access_key: str
    account: str
    user: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the gateway adds: when the request came (epoch ms), the id it was given, the API's account and port."""

    request_id: str
    epoch_ms: int
    account: str
    port: int


def http_api_event(
    request: Request, path: str, match: Match, arrival: Arrival, caller: Caller | None
) -> dict[str, object]:
    """Return the event for a request whose decoded path is ``path``."""
    http = {
        "method": request.method,
        "path": path,
        "protocol": request.version,
        "sourceIp": request.client,
        "userAgent": request.value("user-agent") or "",
    }
    context: dict[str, object] = {
        "accountId": arrival.account,
        "apiId": API_ID,
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "http": http,
        "requestId": arrival.request_id,
        "routeKey": match.route.key,
        "stage": "$default",
        "time": datetime.fromtimestamp(arrival.epoch_ms // 1000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": arrival.epoch_ms,
    }
    if caller is not None:
        context["authorizer"] = {"iam": _iam(caller)}
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": _headers(request, arrival),
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if cookies := _cookies(request):
        event["cookies"] = cookies
    if request.query and (parameters := _query_parameters(request.query)):
        event["queryStringParameters"] = parameters
    if match.parameters:
        event["pathParameters"] = dict(match.parameters)
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def _iam(caller: Caller) -> dict[str, str | None]:
    return {
        "accessKey": caller.access_key,
        "accountId": caller.account,
        "callerId": caller.user,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:aws:iam::{caller.account}:user/{caller.user}",
        "userId": caller.user,
    }


def _headers(request: Request, arrival: Arrival) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        if key not in _KEPT_BACK:
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    forwarded = headers.get("x-forwarded-for")
    headers |= {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": f"Root=1-{arrival.epoch_ms // 1000:08x}-{'0' * 24}",
        "x-forwarded-for": f"{forwarded}, {request.client}" if forwarded else request.client,
        "x-forwarded-port": str(arrival.port),
        "x-forwarded-proto": "http",
    }
    return dict(sorted(headers.items()))


def _cookies(request: Request) -> list[str]:
    pairs = (pair.strip(" \t") for header in request.values("cookie") for pair in header.split(";"))
    return [pair for pair in pairs if pair]


def _query_parameters(query: str) -> Mapping[str, str]:
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        if pair:
            name, _, value = (unquote_plus(part, errors="replace") for part in pair.partition("="))
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _body(request: Request) -> tuple[str, bool]:
    if _is_text(request.value("content-type") or ""):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # no JSON string could carry these bytes
    return base64.b64encode(request.body).decode("ascii"), True


def _is_text(content_type: str) -> bool:
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [value.strip('"') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"]
    return (media_type.startswith("text/") or media_type in _TEXT_TYPES) and charsets in ([], ["utf-8"])
