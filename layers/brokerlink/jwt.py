"""Reads the claims of a token that its issuer signed with a key we do not have: advice, never proof."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from brokerlink.outbound import JsonValue, NotJson, parse_json


def unverified_claims(token: str) -> Mapping[str, JsonValue]:
    """Give the claims of a JWT (RFC 7519 §7.2, without the signature's check); empty where it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = parse_json(base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars="-_", validate=True))
    except (binascii.Error, ValueError, NotJson):
        return {}
    return claims if isinstance(claims, dict) else {}


def numeric_date(claims: Mapping[str, JsonValue], name: str) -> int | None:
    """Give a claim's NumericDate in whole epoch seconds (RFC 7519 §2), rounded down; None where it is none."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        return None
    return int(value)
