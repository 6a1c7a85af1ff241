"""What every broker has to do: inherit `BrokerConformance`, fill in the broker's own answers, and run it."""

from __future__ import annotations

import ast
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import pytest

from brokerlink.brokers import make_broker
from brokerlink.brokers.base import (
    AppSecret,
    AuthorizationRequest,
    Broker,
    Form,
    Grant,
    IssuedToken,
    Link,
    TokenRequest,
)
from brokerlink.connections import is_account
from brokerlink.errors import Code, LoginError, SettingError
from brokerlink.expiry import token_expiry
from brokerlink.outbound import Answer, NoAnswer, Request
from brokerlink.secret import Secret
from brokerlink.web.callbacks import read_callback, read_parameters
from tests.kit.world import MORNING, Reply, World, answer, world

STATE = "St4te-_canary-state-0123456789-abcdefghijklmn"[:43]
CODE_VERIFIER = "canary-code-verifier-0123456789-abcdefghijk"
TOKEN = "canary.access-token.value"
REDIRECT_URI = "https://login.example.com/callback/broker?never=used&plus=+"


class FakeDoor:
    """Answers with what the test has lined up, and keeps what came through it."""

    def __init__(self, *script: Answer | Exception) -> None:
        self.script = list(script)
        self.exchanged: list[Request] = []
        self.asked: list[Request] = []

    def exchange(self, request: Request) -> Answer:
        self.exchanged.append(request)
        return self._next()

    def ask(self, request: Request) -> Answer:
        self.asked.append(request)
        return self._next()

    def _next(self) -> Answer:
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


class BrokerConformance(ABC):
    """The suite. A subclass gives its broker's settings and what its servers answer; it may add cases to the tables."""

    broker_id: str
    app: Mapping[str, Any]
    required_settings: frozenset[str]
    secret: Mapping[str, str]
    account = "YA0002"
    # A grant as the broker makes them.
    grant = "canary-grant.value"
    # Whether the broker's own servers tell the account in a second request.
    identifies_by_request: bool

    @abstractmethod
    def callback(self, state: str, grant: str) -> dict[str, str]:
        """Give the query of a successful callback."""

    @abstractmethod
    def token_answer(self) -> dict[str, Any]:
        """Give the JSON of a successful exchange, with the access token `TOKEN` or one that `access_token` names."""

    def identity_answer(self) -> Any:
        """Give the JSON of a successful identity request, where there is one."""
        raise NotImplementedError

    access_token = TOKEN

    # Further answers to the exchange, and the codes they have to end in: (name, answer, code).
    token_failures: tuple[tuple[str, Answer, Code], ...] = ()
    identity_failures: tuple[tuple[str, Any], ...] = ()

    # ---------------------------------------------------------------- what the tests work with

    def make(self, **settings: Any) -> Broker:
        return make_broker(self.broker_id, {**self.app, **settings})

    def issue(
        self, broker: Broker, *script: Answer | Exception, grant: str | None = None
    ) -> tuple[IssuedToken, FakeDoor]:
        door = FakeDoor(*script)
        request = TokenRequest(
            grant=Grant(Secret(grant or self.grant)), redirect_uri=REDIRECT_URI, code_verifier=Secret(CODE_VERIFIER)
        )
        return broker.exchange(request, AppSecret(dict(self.secret)), door, MORNING), door

    def canaries(self) -> set[str]:
        return {self.grant, CODE_VERIFIER, self.access_token, *self.secret.values()}

    def assert_discreet(self, *things: object) -> None:
        text = " ".join(
            "".join(traceback.format_exception(thing)) if isinstance(thing, BaseException) else f"{thing!r} {thing}"
            for thing in things
        )
        assert not [canary for canary in self.canaries() if canary in text]

    def script(self) -> list[Answer]:
        answers = [answer(self.token_answer())]
        return [*answers, answer(self.identity_answer())] if self.identifies_by_request else answers

    @pytest.fixture
    def broker(self) -> Broker:
        return self.make()

    @pytest.fixture
    def the_world(self) -> Iterator[World]:
        with world(apps={self.broker_id: self.app}, secrets={self.broker_id: self.secret}) as made:
            yield made

    # ---------------------------------------------------------------- settings

    def test_unknown_setting_is_refused_by_name_and_without_its_value(self) -> None:
        with pytest.raises(SettingError) as caught:
            self.make(surprise="canary-value")
        assert "surprise" in str(caught.value)
        assert "canary-value" not in str(caught.value)

    def test_every_required_setting_is_named_when_it_is_missing(self) -> None:
        for name in self.required_settings:
            rest = {each: value for each, value in self.app.items() if each != name}
            with pytest.raises(SettingError) as caught:
                make_broker(self.broker_id, rest)
            assert caught.value.setting.startswith(f"BrokerApps.{self.broker_id}")

    def test_broker_knows_its_name_scope_secrets_and_day(self, broker: Broker) -> None:
        assert broker.id == self.broker_id
        assert broker.name
        assert broker.secret_names == set(self.secret)
        assert broker.expiry.end(MORNING) > MORNING

    # ---------------------------------------------------------------- 1 the authorization URL

    def authorization_parameters(self, broker: Broker) -> dict[str, list[str]]:
        request = AuthorizationRequest(
            state=Secret(STATE), redirect_uri=REDIRECT_URI, code_verifier=Secret(CODE_VERIFIER)
        )
        made = broker.authorization(request)
        self.assert_discreet(made)
        match made:
            case Link(url):
                assert urlsplit(url).scheme == "https"
                assert not urlsplit(url).fragment
                return parse_qs(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
            case Form(action, fields):
                assert urlsplit(action).scheme == "https"
                return {name: [value] for name, value in fields.items()}

    def test_authorization_carries_state_and_redirect_uri_once_and_encoded_once(self, broker: Broker) -> None:
        parameters = self.authorization_parameters(broker)
        assert [each for values in parameters.values() for each in values].count(STATE) == 1
        assert [each for values in parameters.values() for each in values].count(REDIRECT_URI) == 1
        assert all(len(values) == 1 for values in parameters.values())

    def test_authorization_holds_nothing_secret(self, broker: Broker) -> None:
        sent = str(self.authorization_parameters(broker))
        assert not [secret for secret in (*self.secret.values(), CODE_VERIFIER) if secret in sent]

    # ---------------------------------------------------------------- 2 the callback

    def test_callback_is_read(self, broker: Broker) -> None:
        pairs = [*self.callback(STATE, self.grant).items(), ("utm_source", "unrelated")]
        callback = read_callback(broker, read_parameters(broker, pairs))
        assert callback.state.reveal() == STATE
        assert callback.grant is not None
        assert callback.grant.value.reveal() == self.grant
        assert callback.refusal is None
        self.assert_discreet(callback)

    def test_callback_with_state_alone_brings_no_grant(self, broker: Broker) -> None:
        pairs = [(name, value) for name, value in self.callback(STATE, self.grant).items() if value != self.grant]
        callback = read_callback(broker, read_parameters(broker, pairs))
        assert callback.grant is None

    # ---------------------------------------------------------------- 3 the exchange

    @pytest.mark.parametrize("grant", ["a b", "a+b", "a%2Bb", "a/b=c&d", "x" * 4096, "~!'()*"])
    def test_exchange_sends_the_grant_once_unchanged_and_on_its_own_connection(
        self, broker: Broker, grant: str
    ) -> None:
        _, door = self.issue(broker, answer(self.token_answer()), grant=grant)
        (request,) = door.exchanged
        assert not door.asked
        assert request.method == "POST"
        assert urlsplit(request.url).scheme == "https"
        assert not urlsplit(request.url).query
        assert (
            grant in unquote_plus((request.body or b"").decode()).replace('\\"', '"')
            or grant in (request.body or b"").decode()
        )
        self.assert_discreet(request)

    def test_exchange_gives_the_token_and_hides_it(self, broker: Broker) -> None:
        token, _ = self.issue(broker, answer(self.token_answer()))
        assert token.access_token.reveal() == self.access_token
        self.assert_discreet(token)

    @pytest.mark.parametrize(
        ("reply", "code"),
        [
            (answer("<html>down</html>", 200), Code.BROKER_ERROR),
            (answer("", 200), Code.BROKER_ERROR),
            (answer("[]", 200), Code.BROKER_ERROR),
            (answer("null", 200), Code.BROKER_ERROR),
            (answer('"canary"', 200), Code.BROKER_ERROR),
            (answer("{", 200), Code.BROKER_ERROR),
            (answer("{}", 200), Code.BROKER_ERROR),
            (answer('{"access_token": NaN}', 200), Code.BROKER_ERROR),
            (answer("[" * 30_000, 200), Code.BROKER_ERROR),
            (answer('{"a":' + "9" * 5_000 + "}", 200), Code.BROKER_ERROR),
            (answer(b"\xff\xfe{}", 200), Code.BROKER_ERROR),
            (answer("<html>moved</html>", 302, location="https://evil.example/"), Code.BROKER_ERROR),
            (answer("<html>forbidden</html>", 403), Code.BROKER_ERROR),
            (answer("<html>oops</html>", 500), Code.BROKER_UNAVAILABLE),
            (answer("<html>bad gateway</html>", 502), Code.BROKER_UNAVAILABLE),
            (answer("<html>down</html>", 503), Code.BROKER_UNAVAILABLE),
            (answer("{}", 429), Code.BROKER_UNAVAILABLE),
        ],
    )
    def test_useless_answer_ends_in_its_code(self, broker: Broker, reply: Answer, code: Code) -> None:
        with pytest.raises(LoginError) as caught:
            self.issue(broker, reply)
        assert caught.value.code is code
        self.assert_discreet(caught.value)

    def test_answers_of_the_broker_s_own_failures_end_in_their_codes(self, broker: Broker) -> None:
        for name, reply, code in self.token_failures:
            with pytest.raises(LoginError) as caught:
                self.issue(broker, reply)
            assert caught.value.code is code, name
            self.assert_discreet(caught.value)

    def test_every_field_of_the_answer_may_be_of_the_wrong_type(self, broker: Broker) -> None:
        allowed = {
            Code.BROKER_ERROR,
            Code.BROKER_UNAVAILABLE,
            Code.ACCOUNT_UNKNOWN,
            Code.GRANT_REJECTED,
            Code.APP_MISCONFIGURED,
        }
        for path, wrong in mutations(self.token_answer()):
            failure = failure_of(partial(self.issue, broker, answer(wrong)))
            self.assert_discreet(failure)
            assert failure is None or failure.code in allowed, path

    def test_retry_after_is_told(self, broker: Broker) -> None:
        with pytest.raises(LoginError) as caught:
            self.issue(broker, answer("{}", 429, retry_after="90"))
        assert caught.value.retry_at == MORNING + 90

    # ---------------------------------------------------------------- 4 the account

    def test_account_is_learnt(self, broker: Broker) -> None:
        token, _ = self.issue(broker, answer(self.token_answer()))
        door = FakeDoor(*([answer(self.identity_answer())] if self.identifies_by_request else []))
        account = broker.identify(token, door, MORNING)
        assert account == self.account
        assert is_account(account)
        assert not door.exchanged
        for request in door.asked:
            assert request.method == "GET"
            assert self.access_token not in request.url
            self.assert_discreet(request)

    def test_identity_failures_are_account_unknown_or_worth_a_retry(self, broker: Broker) -> None:
        if not self.identifies_by_request:
            return
        token, _ = self.issue(broker, answer(self.token_answer()))
        hostile = [value for _, value in mutations(self.identity_answer())]
        useless = [answer(body) for body in ("", "<html>", "[]", "null", "{}")]
        for reply in [*useless, *map(answer, [value for _, value in self.identity_failures])]:
            with pytest.raises(LoginError) as caught:
                broker.identify(token, FakeDoor(reply), MORNING)
            assert caught.value.code in {Code.ACCOUNT_UNKNOWN, Code.BROKER_ERROR}
            self.assert_discreet(caught.value)
        for value in hostile:
            failure = failure_of(partial(broker.identify, token, FakeDoor(answer(value)), MORNING))
            assert failure is None or failure.code in {Code.ACCOUNT_UNKNOWN, Code.BROKER_ERROR}
        for status in (401, 403, 404):
            with pytest.raises(LoginError) as caught:
                broker.identify(token, FakeDoor(answer({"status": "error"}, status)), MORNING)
            assert caught.value.code is Code.ACCOUNT_UNKNOWN
        with pytest.raises(LoginError) as caught:
            broker.identify(token, FakeDoor(answer("", 503)), MORNING)
        assert caught.value.code is Code.BROKER_UNAVAILABLE

    # ---------------------------------------------------------------- 5 the end of the day

    def test_token_ends_by_the_broker_s_day_whatever_it_claims(self, broker: Broker) -> None:
        end = broker.expiry.end(MORNING)
        assert token_expiry(broker.expiry, MORNING, lifetime=None, claimed=None) == end
        assert token_expiry(broker.expiry, MORNING, lifetime=10**9, claimed=end + 10**6) == end
        assert token_expiry(broker.expiry, MORNING, lifetime=60, claimed=None) == MORNING + 60
        assert token_expiry(broker.expiry, MORNING, lifetime=None, claimed=MORNING + 5) == MORNING + 5

    # ---------------------------------------------------------------- a whole login, and what must not pass

    def login(self, the_world: World, **query: str) -> tuple[Reply, str]:
        browser = the_world.browser()
        state = browser.start(self.broker_id, **query)
        the_world.http.script = [*self.script()]
        target = f"/callback/{self.broker_id}?{urlencode(self.callback(state, self.grant))}"
        return browser.get(target), target

    def test_whole_login_stores_one_sealed_token(self, the_world: World) -> None:
        reply, _ = self.login(the_world)
        assert reply.status == 303
        assert reply.query.keys() == {"attempt"}
        (token,) = the_world.tokens()
        assert (token["broker"], token["account"]) == (self.broker_id, self.account)
        assert the_world.attempt()["status"] == "SUCCEEDED"
        opened = the_world.kms.decrypt(
            CiphertextBlob=token["ciphertext"],
            EncryptionContext={
                "purpose": "broker-access-token",
                "broker": self.broker_id,
                "account": self.account,
                "user_id": f"{self.broker_id}:{self.account}",
            },
        )
        assert opened["Plaintext"].decode() == self.access_token

    def test_repeated_callback_replays_the_outcome(self, the_world: World) -> None:
        browser = the_world.browser()
        state = browser.start(self.broker_id)
        the_world.http.script = [*self.script()]
        target = f"/callback/{self.broker_id}?{urlencode(self.callback(state, self.grant))}"
        first, sent = browser.get(target), len(the_world.http.sent)
        assert browser.get(target).location == first.location
        assert len(the_world.http.sent) == sent

    def test_lost_answer_is_never_asked_for_again(self, the_world: World) -> None:
        browser = the_world.browser()
        state = browser.start(self.broker_id)
        the_world.http.script = [NoAnswer("timeout")]
        target = f"/callback/{self.broker_id}?{urlencode(self.callback(state, self.grant))}"
        browser.get(target)
        browser.get(target)
        assert len(the_world.http.sent) == 1
        assert the_world.attempt()["error"] == "outcome_unknown"
        assert not the_world.tokens()

    # ---------------------------------------------------------------- its place in the tree

    def test_file_imports_no_table_no_web_and_no_aws(self, broker: Broker) -> None:
        file = Path(str(sys.modules[type(broker).__module__].__file__))
        allowed = {"brokers", "errors", "expiry", "fields", "jwt", "outbound", "secret", "connections"}
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                root, _, rest = name.partition(".")
                assert root not in {"boto3", "botocore", "requests"}
                assert root != "brokerlink" or rest.split(".")[0] in allowed, name


def failure_of(act: Callable[[], object]) -> LoginError | None:
    """Give the LoginError that an act ends in; anything else that it raises fails the test."""
    try:
        act()
    except LoginError as error:
        return error
    return None


def mutations(body: Any) -> Iterator[tuple[str, Any]]:
    """Give copies of a JSON object in which one value, at any depth, is of the wrong type, empty, or gone."""
    if not isinstance(body, dict):
        return
    for name, value in body.items():
        for wrong in (None, True, 0, -1, 1.5, "", " ", "\ud800", [], {}, [value], {"a": value}, "é" * 70, "<b>"):
            yield name, {**body, name: wrong}
        yield name, {each: kept for each, kept in body.items() if each != name}
        for path, inner in mutations(value):
            yield f"{name}.{path}", {**body, name: inner}


def day(hour: int, minute: int = 0, second: int = 0) -> int:
    """Give an epoch second of Monday 23 November 2026, IST."""
    midnight = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    return int((midnight + timedelta(hours=hour, minutes=minute, seconds=second)).timestamp())
