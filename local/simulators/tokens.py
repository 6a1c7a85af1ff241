"""Codes and tokens in the shapes that the real servers give them. Every one is unguessable and new."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def opaque_token() -> str:
    """Two halves of 43 base64url characters joined by a dot, as fosite's HMAC strategy makes them."""
    return f"{base64url(secrets.token_bytes(32))}.{base64url(secrets.token_bytes(32))}"


def signed_jwt(claims: Mapping[str, str | int]) -> str:
    """A JWT (RFC 7519) signed with HS256, its claims in the order given.

    Each is signed with a key of its own: only the broker could verify it anyway, and so two tokens for the
    same customer in the same second still differ.
    """
    header = _segment({"alg": "HS256", "typ": "JWT"})
    signing_input = f"{header}.{_segment(claims)}"
    signature = hmac.digest(secrets.token_bytes(32), signing_input.encode("ascii"), hashlib.sha256)
    return f"{signing_input}.{base64url(signature)}"


def _segment(value: Mapping[str, str | int]) -> str:
    return base64url(json.dumps(value, separators=(",", ":")).encode())
