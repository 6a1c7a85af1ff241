"""The link that an error carries: the platform's own page for its users, ours for those who log in without one."""

from __future__ import annotations

import pytest

from brokerlink.connections import direct_user_id
from brokerlink.reader import TokenError, TokenExpired, TokenNotFound, TokenUnreadable
from tests.kit.shelf import ENDS, OWNER, Shelf, event
from tests.kit.wire import refused

PLATFORM = "https://app.example/brokers/{broker}?user={user_id}"
OURS = "https://login.example/"
DIRECT = OWNER | {"user_id": direct_user_id("pocketful", "YA0002")}


def link_of(shelf: Shelf, owner: dict[str, str], **settings: str) -> str | None:
    with pytest.raises(TokenNotFound) as raised:
        shelf.reader_with(**settings).get(**owner)
    return raised.value.login_url


@pytest.mark.parametrize("kind", [TokenNotFound, TokenExpired, TokenUnreadable])
def test_every_error_carries_it(shelf: Shelf, kind: type[TokenError]) -> None:
    reader = shelf.reader_with(login_url=PLATFORM, start_url=OURS)
    if kind is not TokenNotFound:
        shelf.put()
    if kind is TokenExpired:
        shelf.clock.now = ENDS
    shelf.kms_wire.meet("Decrypt", refused("DisabledException"))
    with pytest.raises(kind) as raised:
        reader.get(event())
    assert raised.value.login_url == "https://app.example/brokers/pocketful?user=user-1"
    assert (raised.value.broker, raised.value.account, raised.value.user_id) == ("pocketful", "YA0002", "user-1")


@pytest.mark.parametrize("base", [OURS, OURS.removesuffix("/")])
def test_direct_users_get_ours(shelf: Shelf, base: str) -> None:
    assert link_of(shelf, DIRECT, login_url=PLATFORM, start_url=base) == "https://login.example/authorize/pocketful"


@pytest.mark.parametrize("owner", [OWNER, DIRECT], ids=["platform", "direct"])
def test_without_a_link_there_is_none(shelf: Shelf, owner: dict[str, str]) -> None:
    assert link_of(shelf, owner, login_url="", start_url="") is None
    assert link_of(shelf, owner) is None


def test_a_stack_without_a_platforms_link_has_none_for_its_users(shelf: Shelf) -> None:
    """Its login-url is the start URL then, which would file the token under the account."""
    assert link_of(shelf, OWNER, login_url=OURS, start_url=OURS) is None


def test_what_is_filled_in_is_encoded_and_nothing_else_is_read(shelf: Shelf) -> None:
    odd = {"broker": "a/b", "account": "1", "user_id": "x&y {broker}"}
    url = "https://app.example/{broker}?u={user_id}&x={0.__class__}{}"
    assert link_of(shelf, odd, login_url=url) == ("https://app.example/a%2Fb?u=x%26y%20%7Bbroker%7D&x={0.__class__}{}")


def test_the_environment_names_them(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKERLINK_LOGIN_URL", PLATFORM)
    monkeypatch.setenv("BROKERLINK_START_URL", OURS)
    assert link_of(shelf, OWNER) == "https://app.example/brokers/pocketful?user=user-1"
    assert link_of(shelf, DIRECT) == "https://login.example/authorize/pocketful"
    assert link_of(shelf, OWNER, login_url="https://other.example/") == "https://other.example/"


def test_no_error_text_names_the_user(shelf: Shelf) -> None:
    with pytest.raises(TokenNotFound) as raised:
        shelf.reader_with(login_url=PLATFORM).get(**OWNER)
    assert "user-1" not in f"{raised.value} {raised.value!r}"
