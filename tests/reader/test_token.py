"""A token shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
from collections.abc import Callable

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.shared.json_encoder import Encoder

from brokerlink.reader import BrokerToken, TokenExpired, TokenUnreadable
from brokerlink.secret import Secret
from tests.kit.shelf import ENDS, ISSUED, OWNER, Shelf

TOKEN = BrokerToken(
    secret=Secret("canary-access-token"),
    **OWNER,
    scope="orders",
    token_type="bearer",
    attempt_id="attempt",
    issued_at=ISSUED,
    expires_at=ENDS,
)


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        "{0} {0!r} {0!s}".format,
        lambda token: repr([token]),
        lambda token: repr(dataclasses.asdict(token)),
        lambda token: repr(dataclasses.astuple(token)),
        lambda token: json.dumps(token, default=str),
        lambda token: json.dumps(dataclasses.asdict(token), default=repr),
        lambda token: repr(copy.copy(token)) + repr(copy.deepcopy(token)),
        lambda token: repr(dataclasses.replace(token, scope="holdings")),
        lambda token: repr(token.headers) + str(token.headers),
        lambda token: json.dumps({"headers": token.headers}, default=str),
    ],
)
def test_no_representation_shows_it(shown: Callable[[BrokerToken], str]) -> None:
    assert "canary" not in shown(TOKEN)


def test_powertools_encoder_and_logger_do_not_show_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError):
        json.dumps(TOKEN, cls=Encoder)
    logger = Logger(service="test_token", level=logging.DEBUG)
    logger.info({"token": TOKEN, "headers": TOKEN.headers}, extra={"more": TOKEN})
    told = capsys.readouterr().out
    assert "YA0002" in told
    assert "canary" not in told


@pytest.mark.parametrize("thing", [TOKEN, TOKEN.headers, TOKEN.secret], ids=["token", "headers", "secret"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(thing: object, protocol: int) -> None:
    with pytest.raises(TypeError, match=r"(not|cannot be) pickled"):
        pickle.dumps(thing, protocol)


def test_a_copy_is_the_same_token() -> None:
    assert copy.deepcopy(TOKEN) == copy.copy(TOKEN) == TOKEN
    assert copy.deepcopy(TOKEN).access_token == "canary-access-token"


def test_secrets_are_equal_by_their_text() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != "a"


def test_an_error_can_be_pickled_and_keeps_its_link(shelf: Shelf) -> None:
    shelf.put()
    shelf.clock.now = ENDS
    with pytest.raises(TokenExpired) as raised:
        shelf.reader_with(login_url="https://app.example/{user_id}").get(**OWNER)
    back = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own
    assert isinstance(back, TokenExpired)
    assert (str(back), back.login_url) == (str(raised.value), "https://app.example/user-1")


def test_an_error_is_made_by_whoever_tests_a_consumer() -> None:
    error = TokenUnreadable("the token cannot be opened")
    assert (error.login_url, error.reason, error.others_too) == (None, "", False)
