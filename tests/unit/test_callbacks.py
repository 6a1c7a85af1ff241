"""brokerlink.web.callbacks: what a callback carries, read before anything is looked up."""

from __future__ import annotations

from typing import Any

import pytest

from brokerlink.brokers import make_broker
from brokerlink.errors import Code
from brokerlink.outcomes import Callback
from brokerlink.web.callbacks import StateMissing, read_callback, read_parameters
from brokerlink.web.request import BadRequest, decode_form

STATE = "s" * 43
POCKETFUL = make_broker("pocketful", {"client_id": "c"})
FIVEPAISA = make_broker("fivepaisa", {"vendor_key": "v"})
WITH_ISSUER: Any = make_broker(
    "other",
    {
        "protocol": "oauth2",
        "client_id": "c",
        "authorization_endpoint": "https://other.example/auth",
        "token_endpoint": "https://other.example/token",
        "issuer": "https://other.example",
        "account": {"path": "account"},
    },
)


def read(query: str, broker: Any = POCKETFUL) -> Callback:
    return read_callback(broker, read_parameters(broker, decode_form(query)))


def grant(callback: Callback) -> str | None:
    return None if callback.grant is None else callback.grant.value.reveal()


@pytest.mark.parametrize("state", ["A" * 43, "_" * 43, "-" * 43, "aZ09-_" * 7 + "x"])
def test_state_of_ours_is_read(state: str) -> None:
    assert read(f"code=c&state={state}").state.reveal() == state


@pytest.mark.parametrize("query", ["", "code=c", "state=", "state=&code=c", "state", "State=" + STATE, "code=c&st=x"])
def test_missing_state(query: str) -> None:
    with pytest.raises(StateMissing):
        read(query)


@pytest.mark.parametrize(
    "state",
    [
        "s",
        "s" * 42,
        "s" * 44,
        "s" * 10_000,
        "s" * 42 + "=",
        "s" * 42 + "+",
        "s" * 42 + "%2B",
        "s" * 42 + "%2F",
        "s" * 42 + "%00",
        "s" * 42 + "%0A",
        "s" * 43 + "%0A",
        "s" * 41 + "%0D%0A",
        "s" * 39 + "%F0%9F%98%80",
        "%EF%BD%93" * 43,
        STATE + "," + STATE,
        "%20" + STATE,
        STATE + "+",
    ],
)
def test_state_that_is_none_of_ours(state: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(f"code=c&state={state}")
    assert not isinstance(caught.value, StateMissing)
    assert "sss" not in str(caught.value)


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        ("abc", "abc"),
        ("a+b", "a b"),
        ("a%2Bb", "a+b"),
        ("a%252Bb", "a%2Bb"),
        ("a%20b", "a b"),
        ("%21%7E", "!~"),
        ("+", " "),
        ("a%26state%3Dx", "a&state=x"),
        ("x" * 4096, "x" * 4096),
        ("%41" * 4096, "A" * 4096),
    ],
)
def test_grant_is_decoded_exactly_once(sent: str, read_as: str) -> None:
    assert grant(read(f"code={sent}&state={STATE}")) == read_as


@pytest.mark.parametrize(
    "sent",
    ["", "x" * 4097, "%00", "a%0Ab", "%7F", "%C2%80", "%C3%A9", "%F0%9F%98%80", "%1B[0m", "a%09b", "%FF", "%ED%A0%80"],
)
@pytest.mark.parametrize(("broker", "name"), [(POCKETFUL, "code"), (FIVEPAISA, "RequestToken")])
@pytest.mark.parametrize("more", ["", "&error=access_denied"])
def test_grant_that_no_broker_sends(broker: Any, name: str, sent: str, more: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(f"{name}={sent}&state={STATE}{more}", broker)
    assert not isinstance(caught.value, StateMissing)


@pytest.mark.parametrize(
    "query",
    [
        f"code=a&code=b&state={STATE}",
        f"code=a&code=a&state={STATE}",
        f"code=a&state={STATE}&state={STATE}",
        f"code=a&state={STATE}&state=",
        f"code=a&co%64e=b&state={STATE}",
        f"code=a&state={STATE}&error=&error=",
        f"code=a&state={STATE}&unread=1&unread=2",
        f"code=a&state={STATE}&error=%C3%A9",
        f"code=a&state={STATE}&error={'x' * 4097}",
        f"code=a&state={STATE}&iss=%00",
        f"code=a&state={STATE}&unread=%FF",
        f"code=a&state={STATE}&%FF=",
    ],
)
def test_repeated_or_malformed_parameter(query: str) -> None:
    with pytest.raises(BadRequest):
        read(query)


@pytest.mark.parametrize(
    "query",
    [
        f"RequestToken=a&requesttoken=b&state={STATE}",
        f"RequestToken=a&request_token=b&state={STATE}",
        f"RequestToken=a&state={STATE}&State={STATE}",
    ],
)
def test_spellings_of_one_parameter_are_a_repetition(query: str) -> None:
    with pytest.raises(BadRequest):
        read(query, FIVEPAISA)


def test_what_is_not_read_may_hold_anything_that_is_utf8() -> None:
    callback = read(
        f"code=a&state={STATE}&error_description=%3Cscript%3E%00é&error_uri=javascript:x&scope={'x' * 5000}"
    )
    assert grant(callback) == "a"
    assert callback.refusal is None


@pytest.mark.parametrize("query", [f"state={STATE}", f"state={STATE}&error=", f"state={STATE}&scope=orders"])
def test_state_alone_brings_neither_grant_nor_refusal(query: str) -> None:
    callback = read(query)
    assert (callback.state.reveal(), callback.grant, callback.refusal) == (STATE, None, None)


def test_error_counts_more_than_a_grant_beside_it() -> None:
    callback = read(f"code=a&state={STATE}&error=access_denied")
    assert (callback.state.reveal(), callback.grant, callback.refusal) == (STATE, None, Code.DENIED)


def test_empty_error_beside_a_grant_is_none() -> None:
    assert grant(read(f"code=a&state={STATE}&error=")) == "a"


@pytest.mark.parametrize("iss", ["", "&iss=", "&iss=https://evil.example", "&iss=https://other.example/"])
def test_known_issuer_has_to_be_named(iss: str) -> None:
    with pytest.raises(BadRequest):
        read(f"code=a&state={STATE}{iss}", WITH_ISSUER)
    with pytest.raises(BadRequest):
        read(f"error=access_denied&state={STATE}{iss}", WITH_ISSUER)
    assert grant(read(f"code=a&state={STATE}&iss=https%3A%2F%2Fother.example", WITH_ISSUER)) == "a"


def test_repr_shows_no_secret() -> None:
    assert "canary" not in repr(read(f"code=canary&state={STATE}"))
    assert STATE not in repr(read(f"code=canary&state={STATE}"))
