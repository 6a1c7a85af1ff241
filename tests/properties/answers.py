"""What a broker might answer: good answers, good ones spoilt, JSON of any shape, and bytes."""

from __future__ import annotations

import json
from typing import Any, Final

import hypothesis.strategies as st

from brokerlink.outbound import Answer
from tests.kit.core import jwt
from tests.kit.world import MIDNIGHT
from tests.properties.hostile import broken, junk, texts

GOOD: Final[dict[str, tuple[Any, ...]]] = {
    "pocketful": (
        {"access_token": "token", "token_type": "bearer", "expires_in": 86_399, "scope": "orders holdings"},
        {"status": "success", "data": {"client_id": "YA0002", "status": "active"}},
    ),
    "fivepaisa": (
        {
            "head": {"Status": 0},
            "body": {
                "Status": 0,
                "AccessToken": jwt({"unique_name": "50052770", "exp": MIDNIGHT - 1}),
                "ClientCode": "50052770",
                "Message": "Success",
            },
        },
    ),
    "acme": (
        {
            "access_token": jwt({"sub": "AC-1", "exp": MIDNIGHT}),
            "id_token": jwt({"sub": "AC-1", "aud": ["acme-client"], "iss": "https://acme.example.com"}),
            "token_type": "Bearer",
            "account": {"id": "AC-1"},
            "expires_in": "3600",
        },
        {"sub": "AC-1", "account": {"id": "AC-1"}},
    ),
}
_ERRORS: Final = ("invalid_client", "invalid_grant", "invalid_scope", "server_error", "request_denied")
_WAITS: Final = (
    "0",
    "120",
    "9" * 20,
    "-1",
    "1.5",
    "Mon, 23 Nov 2026 04:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Mon, 01 Jan 0001 00:00:00 +9999",
    "Mon, 23 Nov 2026 25:61:61 GMT",
    "23 Nov 99999 00:00:00",
    ", , :",
)
_statuses = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 503, 599])
_headers = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after", "content-type", "location", "set-cookie", "content-encoding"]),
    st.sampled_from(_WAITS) | texts,
    max_size=2,
)


def answers(*good: Any) -> st.SearchStrategy[Answer]:
    """Give answers around the good ones of an endpoint."""
    documents = st.one_of(
        st.sampled_from(good),
        broken(st.sampled_from(good)),
        broken(st.sampled_from(good), most=1),
        st.fixed_dictionaries({"error": st.sampled_from(_ERRORS) | junk}),
        junk,
    )
    written = documents.map(lambda value: json.dumps(value).encode())
    bodies = st.one_of(
        written,
        written,
        written.map(lambda body: b"\xef\xbb\xbf" + body),
        written.map(lambda body: body.decode().encode("utf-16")),
        written.map(lambda body: body[:-1]),
        written.map(lambda body: b'{"access_token":"other",' + body[1:]),
        st.binary(max_size=60),
        st.sampled_from(
            [b"[" * 70_000, b"<html>", b'{"a":' * 200 + b"1" + b"}" * 200, b'{"expires_in":' + b"9" * 5000 + b"}"]
        ),
    )
    return st.builds(Answer, _statuses, _headers, bodies)


def access_tokens() -> st.SearchStrategy[str]:
    """Give access tokens: JWTs with any claims, and texts that only look like one."""
    claims = st.dictionaries(st.sampled_from(["exp", "sub", "unique_name", "aud"]), junk, max_size=4)
    return claims.map(jwt) | st.tuples(texts, texts, texts).map(".".join) | texts
