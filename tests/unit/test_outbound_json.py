"""JSON as hostile or broken brokers write it."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerlink.outbound import Answer, JsonValue, NotJson, parse_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"access_token": "t", "expires_in": 86399}', {"access_token": "t", "expires_in": 86399}),
        (b"\xef\xbb\xbf{}", {}),
        (b" [1, -2.5, 1e3, true, false, null] ", [1, -2.5, 1000.0, True, False, None]),
        (b'"\\ud83d\\ude00 \xe2\x82\xb9"', "\N{GRINNING FACE} \N{INDIAN RUPEE SIGN}"),
        (b"null", None),
        (b"[]", []),
        (b"0", 0),
        (b"9" * 100, int("9" * 100)),
        (b"[" * 32 + b"]" * 32, json.loads("[" * 32 + "]" * 32)),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
    ],
)
def test_json(body: bytes, value: JsonValue) -> None:
    assert parse_json(body) == value


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not JSON"),
        (b" ", "not JSON"),
        (b"<html></html>", "not JSON"),
        (b"{", "not JSON"),
        (b"{}{}", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'"line\nbreak"', "not JSON"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "not JSON"),
        ("{}".encode("utf-16"), "not UTF-8"),
        ("{}".encode("utf-16-le"), "not JSON"),
        (b'"caf\xe9"', "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\\ud800"', "half a surrogate pair"),
        (b'{"\\udfff": 1}', "half a surrogate pair"),
        (b'[{"a": ["\\udc00\\ud800"]}]', "half a surrogate pair"),
        (b"NaN", "NaN or Infinity"),
        (b'{"expires_in": Infinity}', "NaN or Infinity"),
        (b"[-Infinity]", "NaN or Infinity"),
        (b"1e999", "a number is out of range"),
        (b"-1e999", "a number is out of range"),
        (b"9" * 101, "a number is too long"),
        (b"9" * 5000, "a number is too long"),
        (b"0." + b"9" * 5000, "a number is too long"),
        (b'{"a": 1, "a": 1}', "a member is named twice"),
        (b'{"access_token": "mine", "access_token": "theirs"}', "a member is named twice"),
        (b'[{"a": {"b": 1, "\\u0062": 2}}]', "a member is named twice"),
        (b"[" * 33 + b"]" * 33, "nested too deeply"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested too deeply"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"a":' * 10_000, "nested too deeply"),
        (b"[" * 5_000 + b"]" * 5_000, "nested too deeply"),
    ],
)
def test_not_json(body: bytes, problem: str) -> None:
    with pytest.raises(NotJson) as caught:
        parse_json(body)
    assert str(caught.value) == problem
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_answer_is_read_as_json() -> None:
    assert Answer(200, {}, b'{"a": [1]}').json() == {"a": [1]}
    with pytest.raises(NotJson):
        Answer(502, {"content-type": "text/html"}, b"<h1>Bad gateway</h1>").json()


@given(st.binary())
def test_bytes_are_json_or_are_refused(body: bytes) -> None:
    with contextlib.suppress(NotJson):
        parse_json(body)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda values: st.lists(values) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values),
        max_leaves=10,
    )
)
def test_whatever_json_can_say_is_read(value: JsonValue) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value
