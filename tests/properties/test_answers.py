"""Hostile answers of brokers: every one ends a login in an outcome of the contract, none in a crash."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from moto import mock_aws

from brokerlink.brokers import make_broker
from brokerlink.brokers.base import AppSecret, Broker, Grant, IssuedToken, TokenRequest
from brokerlink.connections import is_account
from brokerlink.errors import Code, LoginError
from brokerlink.outbound import Answer, AnswerTooLarge, NoAnswer, Outbound, Request
from brokerlink.outbound.body import MAX_BODY_BYTES
from brokerlink.secret import Secret
from brokerlink.tokens import MAX_TOKEN_BYTES
from tests.kit.world import APPS, MIDNIGHT, MORNING, SECRETS, World
from tests.properties.answers import GOOD, access_tokens, answers
from tests.properties.effort import effort
from tests.properties.hostile import mutated, texts
from tests.properties.tally import tried
from tests.properties.target import check_answer
from tests.unit.outbound_server import Peer, Server, get
from tests.unit.outbound_server import answer as http_answer

ACME: dict[str, Any] = {
    "protocol": "oauth2",
    "client_id": "acme-client",
    "authorization_endpoint": "https://acme.example.com/authorize",
    "token_endpoint": "https://acme.example.com/token",
}
SOURCES: dict[str, dict[str, Any]] = {
    "get": {"account": {"from": "get", "url": "https://acme.example.com/me", "path": "account.id"}},
    "token response": {
        "account": {"from": "token_response", "path": "account.id"},
        "client_auth": "client_secret_post",
    },
    "id token": {"account": {"from": "id_token", "path": "sub"}, "issuer": "https://acme.example.com"},
    "access token": {"account": {"from": "access_token", "path": "sub"}, "token_hours": 24},
}
BROKERS: dict[str, Broker] = {
    **{name: make_broker(name, app) for name, app in APPS.items()},
    **{f"acme, account in {name}": make_broker("acme", ACME | source) for name, source in SOURCES.items()},
}
SECRET = AppSecret({"client_secret": "secret", "encryption_key": "key", "user_id": "user"})
TOKEN_REQUEST = TokenRequest(
    grant=Grant(Secret("grant")), redirect_uri="https://login.example.com/callback", code_verifier=Secret("v" * 43)
)
# What an answer can bring about; `internal` and `busy` are ours alone.
FAILURES = {
    Code.APP_MISCONFIGURED,
    Code.BROKER_ERROR,
    Code.BROKER_UNAVAILABLE,
    Code.GRANT_REJECTED,
    Code.ACCOUNT_UNKNOWN,
}


@dataclass
class Door:
    """A door behind which one answer waits."""

    answer: Answer

    def exchange(self, _: Request) -> Answer:
        return self.answer

    ask = exchange


def told(value: object) -> Answer:
    return Answer(200, {}, json.dumps(value).encode())


def check_failure(failure: LoginError) -> None:
    """Check that a failure is one that an answer can bring about, and waits for a day at most."""
    assert failure.code in FAILURES
    assert failure.retry_at is None or MORNING < failure.retry_at <= MORNING + 86_400


ON_THE_WIRE = [
    http_answer(json.dumps(GOOD["pocketful"][0]).encode(), "Content-Type: application/json"),
    http_answer(b"4\r\n{}  \r\n0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Encoding: identity"),
    http_answer(gzip.compress(b"{}" * 50, mtime=0), "Content-Encoding: gzip", "Set-Cookie: a=b", "Retry-After: 3"),
]

# Made once: making a strategy takes longer than drawing from it.
FIRST_ANSWERS = {broker: answers(good[0]) for broker, good in GOOD.items()}
LAST_ANSWERS = {broker: answers(good[-1]) for broker, good in GOOD.items()}
ACCESS_TOKENS = access_tokens()
ISSUED = st.builds(
    lambda access_token, account, id_token: IssuedToken(
        access_token=Secret(access_token), account=account, id_token=id_token and Secret(id_token)
    ),
    ACCESS_TOKENS,
    st.none() | texts,
    st.none() | ACCESS_TOKENS,
)

named = pytest.mark.parametrize("name", BROKERS)


@named
def test_good_answers_are_good(name: str) -> None:
    broker = BROKERS[name]
    good = GOOD[broker.id]
    token = broker.exchange(TOKEN_REQUEST, SECRET, Door(told(good[0])), MORNING)
    assert broker.identify(token, Door(told(good[-1])), MORNING) in {"YA0002", "50052770", "AC-1"}


@named
@given(data=st.data())
@effort(60)
def test_exchange(name: str, data: st.DataObject) -> None:
    broker = BROKERS[name]
    answer = data.draw(FIRST_ANSWERS[broker.id])
    tried("broker answers to an exchange")
    try:
        token = broker.exchange(TOKEN_REQUEST, SECRET, Door(answer), MORNING)
    except LoginError as failure:
        check_failure(failure)
    else:
        assert token.access_token.reveal()
        assert token.access_token.reveal().encode()
        assert token.scope.encode() is not None
        assert token.lifetime is None or 1 <= token.lifetime <= 10**10


@named
@given(data=st.data())
@effort(50)
def test_identity(name: str, data: st.DataObject) -> None:
    broker = BROKERS[name]
    token, answer = data.draw(ISSUED), data.draw(LAST_ANSWERS[broker.id])
    tried("tokens and broker answers, asked for the account")
    try:
        account = broker.identify(token, Door(answer), MORNING)
    except LoginError as failure:
        check_failure(failure)
    else:
        assert is_account(account)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with mock_aws():
        yield World({**APPS, "acme": ACME | SOURCES["get"]}, {**SECRETS, "acme": {"client_secret": "secret"}})


@pytest.mark.parametrize("broker", ["pocketful", "fivepaisa", "acme"])
@given(data=st.data())
@effort(12)
def test_whole_login(world: World, broker: str, data: st.DataObject) -> None:
    # Of two logins at one moment the first keeps its token.
    world.clock.now += 0.01
    browser = world.browser()
    state = browser.start(broker)
    exchange = told(GOOD[broker][0]) if data.draw(st.booleans()) else data.draw(FIRST_ANSWERS[broker])
    # Drawn when they are asked for: of most logins none is.
    world.http.script = [exchange, *[lambda _: data.draw(LAST_ANSWERS[broker])] * 3]
    world.http.sent.clear()
    reply = browser.get(f"/callback/{broker}?state={state}&code=grant&RequestToken=grant")
    tried("whole logins with a broker's hostile answers")
    assert [request.method for request in world.http.sent].count("POST") == 1, "the grant is sent once"
    assert reply.status == 303
    shown = browser.get(reply.location, accept="application/json").json
    if shown["status"] == "connected":
        (row,) = [row for row in world.tokens() if row["attempt_id"] == shown["attempt_id"]]
        assert world.clock.now < row["expires_at"] <= MIDNIGHT
    else:
        assert shown["status"] == "failed"
        # A token may be longer than KMS takes, or have ended already.
        assert shown["error"] in FAILURES | {Code.EXPIRED, Code.INTERNAL}
        assert shown["error"] != Code.INTERNAL or len(exchange.body) > MAX_TOKEN_BYTES
    page = browser.get(reply.location)
    assert page.status == 200
    check_answer(page)


@pytest.fixture(scope="module")
def wire() -> Iterator[tuple[list[bytes], str, Outbound]]:
    """A server that answers with the bytes in the list, whatever it is asked, its URL, and the client."""
    said: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(said[-1])

    with Server(script) as server:
        yield said, server.url(), Outbound()


@given(raw=mutated(ON_THE_WIRE))
@effort(60)
def test_bytes_on_the_wire(wire: tuple[list[bytes], str, Outbound], raw: bytes) -> None:
    said, url, outbound = wire
    said[:] = [raw]
    tried("broker answers as bytes on the wire")
    try:
        got = get(outbound, url, seconds=5)
    except (NoAnswer, AnswerTooLarge):
        # Never `NotSent`, after which the grant would be sent again.
        return
    assert 200 <= got.status <= 599
    assert len(got.body) <= MAX_BODY_BYTES
