"""Verifies AWS Signature Version 4 on a request, as an IAM route of API Gateway does.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html describes the
signing. Signed headers only: a signature in the query string is refused.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from local.http1 import Request

SERVICE = "execute-api"
_ALGORITHM = "AWS4-HMAC-SHA256"
_CLOCK_SKEW = timedelta(minutes=5)
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} +Credential=([^/,\s]+)/([0-9]{{8}})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request *, *"
    r"SignedHeaders=([a-z0-9_;-]+) *, *Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Signer:
    """The one identity whose signatures are accepted, and where it signs for."""

    access_key: str
    secret_key: str
    region: str

    def signed(self, request: Request, now: datetime) -> bool:
        """Say whether the request carries this signer's valid signature, made at most five minutes from
        ``now``.

        The signature must cover the host, the date and the body as it arrived.
        """
        authorizations, dates = request.values("authorization"), request.values("x-amz-date")
        if len(authorizations) != 1 or len(dates) != 1:
            return False
        parts = _AUTHORIZATION.fullmatch(authorizations[0])
        signed_at = _time(dates[0])
        if parts is None or signed_at is None or abs(now - signed_at) > _CLOCK_SKEW:
            return False
        access_key, day, region, service, names, signature = parts.groups()
        headers = tuple(names.split(";"))
        payload_hash = hashlib.sha256(request.body).hexdigest()
        if (
            (access_key, region, service) != (self.access_key, self.region, SERVICE)
            or day != dates[0][:8]
            or not {"host", "x-amz-date"} <= set(headers)
        ):
            return False
        canonical = _canonical_request(request, headers, payload_hash)
        if canonical is None:
            return False
        scope = f"{day}/{region}/{service}/aws4_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"{_ALGORITHM}\n{dates[0]}\n{scope}\n{hashed}"
        return hmac.compare_digest(self._signature(day, to_sign), signature)

    def _signature(self, day: str, to_sign: str) -> str:
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, SERVICE, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _time(text: str) -> datetime | None:
    if re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text) is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _canonical_request(request: Request, names: tuple[str, ...], payload_hash: str) -> str | None:
    """Return the canonical request, or None where a signed header is missing or the list out of order."""
    if list(names) != sorted(set(names)):
        return None
    lines = []
    for name in names:
        values = request.values(name)
        if not values:
            return None
        lines.append(f"{name}:{','.join(' '.join(value.split()) for value in values)}\n")
    # Every service but S3 encodes the path, as it was sent, once more.
    path = quote(request.path, safe="/-_.~")
    query = _canonical_query(request.query)
    return "\n".join((request.method, path, query, "".join(lines), ";".join(names), payload_hash))


def _canonical_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, _, v in pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text, errors="surrogateescape"), safe="-_.~", errors="surrogateescape")
