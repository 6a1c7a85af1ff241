"""Claims of tokens whose signature we cannot check: advice that is read defensively."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerlink.jwt import numeric_date, unverified_claims
from tests.kit.core import jwt


def token(payload: bytes) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.c2ln"


@pytest.mark.parametrize("claims", [{}, {"exp": 1}, {"unique_name": "50052770", "exp": 1_715_240_832}, {"é": "✓"}])
def test_claims_are_read(claims: dict[str, Any]) -> None:
    assert unverified_claims(jwt(claims)) == claims


def test_a_jwt_of_rfc_7519_section_3_1() -> None:
    example = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    assert numeric_date(unverified_claims(example), "exp") == 1_300_819_380


@pytest.mark.parametrize(
    "text",
    [
        "",
        "opaque",
        "a.b",
        "a.b.c.d",
        "..",
        "a.!.c",
        "a.é.c",
        "a.\ud800.c",
        token(b""),
        token(b"not json"),
        token(b"[]"),
        token(b"null"),
        token(b'"text"'),
        token(b"\xff\xfe"),
        token(b'{"exp": NaN}'),
        token(b'{"exp": 1, "exp": 2}'),
        token(b'{"a": "\\ud800"}'),
        token(b'{"a":' * 5000),
        token(b'{"exp": ' + b"9" * 5000 + b"}"),
    ],
    ids=ascii,
)
def test_what_is_no_jwt_has_no_claims(text: str) -> None:
    assert unverified_claims(text) == {}


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    unverified_claims(text)
    unverified_claims(f"a.{text}.c")


@given(st.binary())
def test_no_payload_breaks_it(payload: bytes) -> None:
    claims = unverified_claims(token(payload))
    assert numeric_date(claims, "exp") is None or isinstance(numeric_date(claims, "exp"), int)


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (1_715_240_832, 1_715_240_832),
        (1_715_240_832.9, 1_715_240_832),
        (1, 1),
        (0.5, 0),
        (0, None),
        (-1, None),
        (10**11, None),
        (10**99, None),
        (1e300, None),
        ("1715240832", None),
        (True, None),
        (None, None),
        ([1], None),
        ({}, None),
    ],
)
def test_a_numeric_date_is_a_plausible_number_rounded_down(value: object, date: int | None) -> None:
    claims = unverified_claims(token(json.dumps({"exp": value}).encode()))
    assert numeric_date(claims, "exp") == date


def test_an_absent_date_is_none() -> None:
    assert numeric_date({}, "exp") is None
