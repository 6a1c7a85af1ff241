import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local import sigv4
from local.http1 import Request
from local.sigv4 import Signer

SIGNER = Signer("local", "local", "ap-south-1")
URL = "http://127.0.0.1:8000/sessions"
BODY = b'{"broker":"pocketful","user_id":"asha"}'


def signed_by_botocore(
    method: str = "POST",
    url: str = URL,
    body: bytes = BODY,
    *,
    access_key: str = "local",
    secret_key: str = "local",
    service: str = "execute-api",
    region: str = "ap-south-1",
    headers: dict[str, str] | None = None,
) -> Request:
    """Return a request as the front would receive it, signed by botocore for the present moment."""
    unsigned = AWSRequest(method, url, {"Content-Type": "application/json", **(headers or {})}, body)
    SigV4Auth(Credentials(access_key, secret_key), service, region).add_auth(unsigned)
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request(method, target, (("Host", parts.netloc), *unsigned.headers.items()), body)


def accepts(request: Request, later: timedelta = timedelta()) -> bool:
    return SIGNER.signed(request, datetime.now(UTC) + later)


def changed(request: Request, name: str, change: Callable[[str], str]) -> Request:
    assert request.values(name)
    headers = tuple((key, change(value) if key.lower() == name else value) for key, value in request.headers)
    return replace(request, headers=headers)


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", URL, BODY),
        ("POST", URL, b""),
        ("POST", URL, b"\x00\xff"),
        ("GET", "http://127.0.0.1:8000/attempts/AbC-_012", b""),
        ("GET", "http://127.0.0.1:8000/attempts/a%20b~c", b""),
        ("GET", "http://127.0.0.1:8000/attempts/%CE%BB", b""),
        ("GET", "http://127.0.0.1:8000/", b""),
        ("GET", "http://127.0.0.1:8000/attempts/x?b=2&a=1&b=1&c=&d=%2B%2F~", b""),
        ("GET", "http://localhost/attempts/x", b""),
    ],
)
def test_botocores_signature_is_accepted(method: str, url: str, body: bytes) -> None:
    assert accepts(signed_by_botocore(method, url, body))


def signed_oddly(names: tuple[str, ...], day: str | None = None) -> Request:
    """Return a request whose signature is right by the secret, with a scope and signed headers of one's choice."""
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    day = day or date[:8]
    request = Request("POST", "/sessions", (("Host", "127.0.0.1:8000"), ("X-Amz-Date", date)), BODY)
    canonical = sigv4._canonical_request(request, names, hashlib.sha256(BODY).hexdigest())
    assert canonical is not None
    scope = f"{day}/ap-south-1/execute-api/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    authorization = (
        f"AWS4-HMAC-SHA256 Credential=local/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={SIGNER._signature(day, to_sign)}"
    )
    return replace(request, headers=(*request.headers, ("Authorization", authorization)))


def test_host_and_date_must_be_signed_and_the_scope_be_of_the_same_day() -> None:
    assert accepts(signed_oddly(("host", "x-amz-date")))
    assert not accepts(signed_oddly(("x-amz-date",)))
    assert not accepts(signed_oddly(("host",)))
    assert not accepts(signed_oddly(("host", "x-amz-date"), "20200101"))


def test_headers_are_signed_trimmed_and_joined() -> None:
    request = signed_by_botocore(headers={"X-Note": "a  b"})
    assert "x-note" in (request.value("authorization") or "")
    assert accepts(request)
    assert accepts(changed(request, "x-note", lambda _: " a b\t"))
    assert not accepts(changed(request, "x-note", lambda _: "ab"))


def test_a_content_hash_header_must_be_the_bodys() -> None:
    right = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert accepts(signed_by_botocore(body=b"", headers={"x-amz-content-sha256": right}))
    assert not accepts(signed_by_botocore(body=b"a", headers={"x-amz-content-sha256": right}))
    assert not accepts(signed_by_botocore(body=b"", headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(signed_by_botocore(access_key="other"), id="other access key"),
        pytest.param(signed_by_botocore(secret_key="wrong"), id="wrong secret"),
        pytest.param(signed_by_botocore(service="s3"), id="other service"),
        pytest.param(signed_by_botocore(region="us-east-1"), id="other region"),
        pytest.param(replace(signed_by_botocore(), body=BODY + b" "), id="other body"),
        pytest.param(replace(signed_by_botocore(), body=b""), id="body removed"),
        pytest.param(replace(signed_by_botocore(), method="PUT"), id="other method"),
        pytest.param(replace(signed_by_botocore(), target="/confirm"), id="other path"),
        pytest.param(replace(signed_by_botocore(), target="/sessions?a=1"), id="query added"),
        pytest.param(changed(signed_by_botocore(), "host", lambda _: "localhost:8000"), id="other host"),
        pytest.param(changed(signed_by_botocore(), "content-type", lambda _: "text/plain"), id="other content type"),
        pytest.param(Request("POST", "/sessions", (("Host", "127.0.0.1:8000"),), BODY), id="unsigned"),
    ],
)
def test_a_signature_for_something_else_is_refused(request_: Request) -> None:
    assert not accepts(request_)


def test_every_signature_character_counts() -> None:
    request = signed_by_botocore()

    def flipped(authorization: str) -> str:
        return authorization[:-1] + ("0" if authorization[-1] != "0" else "1")

    assert not accepts(changed(request, "authorization", flipped))


@pytest.mark.parametrize(
    ("later", "good"),
    [
        (timedelta(minutes=4, seconds=50), True),
        (timedelta(minutes=-4, seconds=-50), True),
        (timedelta(minutes=5, seconds=2), False),
        (timedelta(minutes=-5, seconds=-2), False),
        (timedelta(days=1), False),
    ],
)
def test_a_signature_lives_five_minutes_either_side(later: timedelta, good: bool) -> None:  # noqa: FBT001 - a table
    assert accepts(signed_by_botocore(), later) is good


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
        ("aws4_request", "aws3_request"),
        ("content-type;host", "host;content-type"),
        ("content-type;host;x-amz-date", "content-type;x-amz-date"),
        ("content-type;host;x-amz-date", "content-type;host"),
        ("content-type;host;x-amz-date", "content-type;host;host;x-amz-date"),
        ("content-type;host;x-amz-date", "content-type;host;x-absent;x-amz-date"),
        ("SignedHeaders=content-type;host;x-amz-date", "SignedHeaders="),
        (", Signature=", ", Signature=A"),
        ("Credential=local/", "Credential=local"),
    ],
)
def test_a_malformed_authorization_is_refused(old: str, new: str) -> None:
    request = signed_by_botocore()
    assert old in (request.value("authorization") or "")
    assert not accepts(changed(request, "authorization", lambda value: value.replace(old, new)))


@pytest.mark.parametrize(
    "date", ["", "yesterday", "20261301T000000Z", "20260101T000000", "Thu, 01 Jan 2026 00:00:00 GMT"]
)
def test_a_malformed_date_is_refused(date: str) -> None:
    assert not accepts(changed(signed_by_botocore(), "x-amz-date", lambda _: date))


@pytest.mark.parametrize("name", ["Authorization", "X-Amz-Date"])
def test_a_repeated_header_is_refused(name: str) -> None:
    request = signed_by_botocore()
    [value] = request.values(name)
    assert not accepts(replace(request, headers=(*request.headers, (name, value))))


def test_a_signature_in_the_query_is_refused() -> None:
    assert not accepts(Request("GET", f"{URL}?X-Amz-Signature={'0' * 64}", (("Host", "127.0.0.1:8000"),)))
