"""The brokers' secrets: cached for five minutes, fetched anew at most once a minute, and never quoted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from brokerlink.app_secrets import AppSecrets
from brokerlink.brokers import Brokers
from brokerlink.errors import Code, LoginError, Step
from tests.kit.clients import client, wired
from tests.kit.core import Clock
from tests.kit.wire import Fault, down, misread, refused
from tests.kit.world import APPS

OLD = {"pocketful": {"client_secret": "canary-old"}, "fivepaisa": {"encryption_key": "canary-key", "user_id": "canary"}}
NEW = {**OLD, "pocketful": {"client_secret": "canary-new"}}


class Keeper:
    """A secret in Secrets Manager, and what reads it."""

    def __init__(self) -> None:
        self.clock = Clock()
        secretsmanager, self.wire = wired("secretsmanager")
        self.arn = client("secretsmanager").create_secret(Name="brokers", SecretString=json.dumps(OLD))["ARN"]
        self.secrets = AppSecrets(secretsmanager, self.arn, self.clock)
        brokers = Brokers(APPS).on
        self.pocketful, self.fivepaisa = brokers["pocketful"], brokers["fivepaisa"]

    def put(self, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        client("secretsmanager").put_secret_value(SecretId=self.arn, SecretString=text)

    @property
    def fetched(self) -> int:
        return len(self.wire.calls)

    def value(self) -> str:
        return self.secrets.get(self.pocketful)["client_secret"]

    def failure(self) -> LoginError:
        with pytest.raises(LoginError) as raised:
            self.secrets.get(self.pocketful)
        return raised.value


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    with mock_aws():
        yield Keeper()


# the cache


def test_nothing_is_fetched_at_init(keeper: Keeper) -> None:
    # A snapshot of the process would outlive a rotation.
    assert keeper.fetched == 0


def test_each_broker_gets_its_own_secrets_from_one_fetch(keeper: Keeper) -> None:
    assert keeper.secrets.get(keeper.pocketful)["client_secret"] == "canary-old"
    assert keeper.secrets.get(keeper.fivepaisa)["encryption_key"] == "canary-key"
    assert keeper.fetched == 1
    with pytest.raises(KeyError):
        keeper.secrets.get(keeper.pocketful)["encryption_key"]


@pytest.mark.parametrize(("age", "fetched"), [(0, 1), (299.9, 1), (300, 2), (3600, 2)])
def test_a_secret_is_cached_for_five_minutes(keeper: Keeper, age: float, fetched: int) -> None:
    keeper.value()
    keeper.put(NEW)
    keeper.clock.now += age
    assert keeper.value() == ("canary-old" if fetched == 1 else "canary-new")
    assert keeper.fetched == fetched


def test_the_five_minutes_begin_with_each_fetch(keeper: Keeper) -> None:
    keeper.value()
    keeper.clock.now += 300
    keeper.value()
    keeper.clock.now += 299
    keeper.value()
    assert keeper.fetched == 2


# after a rejection


def test_a_rejected_secret_that_was_rotated_is_replaced(keeper: Keeper) -> None:
    used = keeper.secrets.get(keeper.pocketful)
    keeper.put(NEW)
    changed = keeper.secrets.get_changed(keeper.pocketful, used)
    assert changed is not None
    assert changed["client_secret"] == "canary-new"
    assert keeper.value() == "canary-new"
    assert keeper.fetched == 2


def test_a_rejected_secret_that_is_unchanged_has_no_replacement(keeper: Keeper) -> None:
    used = keeper.secrets.get(keeper.pocketful)
    assert keeper.secrets.get_changed(keeper.pocketful, used) is None
    assert keeper.fetched == 2


def test_another_brokers_rotation_is_no_replacement(keeper: Keeper) -> None:
    used = keeper.secrets.get(keeper.fivepaisa)
    keeper.put(NEW)
    assert keeper.secrets.get_changed(keeper.fivepaisa, used) is None


@pytest.mark.parametrize("name", ["encryption_key", "user_id"])
def test_one_changed_value_of_several_is_a_change(keeper: Keeper, name: str) -> None:
    used = keeper.secrets.get(keeper.fivepaisa)
    keeper.put({"fivepaisa": OLD["fivepaisa"] | {name: "changed"}})
    changed = keeper.secrets.get_changed(keeper.fivepaisa, used)
    assert changed is not None
    assert changed[name] == "changed"


def test_rejections_fetch_at_most_once_a_minute(keeper: Keeper) -> None:
    used = keeper.secrets.get(keeper.pocketful)
    for _ in range(5):
        keeper.secrets.get_changed(keeper.pocketful, used)
    assert keeper.fetched == 2
    keeper.put(NEW)
    keeper.clock.now += 59.9
    assert keeper.secrets.get_changed(keeper.pocketful, used) is None
    keeper.clock.now += 0.1
    assert keeper.secrets.get_changed(keeper.pocketful, used) is not None
    assert keeper.fetched == 3


@pytest.mark.parametrize("fault", [down, refused("ThrottlingException"), refused("AccessDeniedException")])
def test_a_rejected_secret_that_cannot_be_fetched_anew_has_no_replacement(keeper: Keeper, fault: Fault) -> None:
    used = keeper.secrets.get(keeper.pocketful)
    keeper.wire.meet("GetSecretValue", fault)
    assert keeper.secrets.get_changed(keeper.pocketful, used) is None
    assert keeper.value() == "canary-old"


def test_a_rotation_to_nonsense_is_no_replacement(keeper: Keeper) -> None:
    used = keeper.secrets.get(keeper.pocketful)
    keeper.put("nonsense")
    assert keeper.secrets.get_changed(keeper.pocketful, used) is None


# malformed

MALFORMED = {
    "no JSON": "canary",
    "cut off": '{"pocketful": {"client_secret": "canary',
    "nested without end": "[" * 60_000,
    "an endless number": "9" * 60_000,
    "a list": '["canary"]',
    "null": "null",
    "a text": '"canary"',
    "no entry": '{"other": {"client_secret": "canary"}}',
    "entry is a text": '{"pocketful": "canary"}',
    "entry is null": '{"pocketful": null}',
    "no value": '{"pocketful": {"secret": "canary"}}',
    "empty": '{"pocketful": {"client_secret": ""}}',
    "a number": '{"pocketful": {"client_secret": 7}}',
    "an object": '{"pocketful": {"client_secret": {"canary": 1}}}',
    "pasted with its line break": '{"pocketful": {"client_secret": "canary\\n"}}',
    "control character": '{"pocketful": {"client_secret": "can\\u0000ary"}}',
    "half a surrogate pair": '{"pocketful": {"client_secret": "canary\\ud800"}}',
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_secret_names_the_setting_and_quotes_nothing(keeper: Keeper, text: str) -> None:
    keeper.put(text)
    failure = keeper.failure()
    assert (failure.code, failure.step) == (Code.APP_MISCONFIGURED, Step.READY)
    assert failure.message == "the secret's pocketful.client_secret is missing or malformed"
    assert "canary" not in f"{failure} {failure!r} {failure.__context__!r} {failure.__cause__!r}"


@pytest.mark.parametrize("value", ["s:+%/ é", "pass word", "€✓", "x" * 500, '"', "\\"])
def test_a_secret_may_hold_anything_printable(keeper: Keeper, value: str) -> None:
    keeper.put({"pocketful": {"client_secret": value}})
    assert keeper.value() == value


def test_a_secret_without_text_is_malformed(keeper: Keeper) -> None:
    client("secretsmanager").put_secret_value(SecretId=keeper.arn, SecretBinary=b"canary")
    assert keeper.failure().code is Code.APP_MISCONFIGURED


def test_the_first_of_several_missing_values_is_named(keeper: Keeper) -> None:
    keeper.put({"fivepaisa": {"user_id": "u"}})
    with pytest.raises(LoginError, match=r"fivepaisa\.encryption_key"):
        keeper.secrets.get(keeper.fivepaisa)


def test_one_brokers_malformed_entry_does_not_concern_another(keeper: Keeper) -> None:
    keeper.put({**OLD, "pocketful": "canary"})
    assert keeper.secrets.get(keeper.fivepaisa)["encryption_key"] == "canary-key"


def test_a_mended_secret_is_seen_within_the_five_minutes(keeper: Keeper) -> None:
    keeper.put("{}")
    keeper.failure()
    keeper.put(NEW)
    assert keeper.value() == "canary-new"


def test_a_secret_that_stays_malformed_is_fetched_once_a_minute_not_at_every_login(keeper: Keeper) -> None:
    keeper.put("{}")
    for _ in range(10):
        keeper.failure()
    assert keeper.fetched == 2
    keeper.put(NEW)
    keeper.clock.now += 59.9
    assert keeper.failure().code is Code.APP_MISCONFIGURED
    keeper.clock.now += 0.1
    assert keeper.value() == "canary-new"


# Secrets Manager


NOT_ITS_OWN = "the answer is not Secrets Manager's"


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        pytest.param(down, Code.BUSY, "ReadTimeoutError", id="no answer"),
        pytest.param(refused("ThrottlingException"), Code.BUSY, "ThrottlingException", id="throttled"),
        pytest.param(refused("InternalServiceError", status=500), Code.BUSY, "InternalServiceError", id="server error"),
        pytest.param(
            refused("AccessDeniedException"), Code.APP_MISCONFIGURED, "AccessDeniedException", id="not allowed"
        ),
        pytest.param(
            refused("ResourceNotFoundException"), Code.APP_MISCONFIGURED, "ResourceNotFoundException", id="no secret"
        ),
        pytest.param(refused("DecryptionFailure"), Code.APP_MISCONFIGURED, "DecryptionFailure", id="no key"),
        pytest.param(
            refused("InvalidRequestException"), Code.APP_MISCONFIGURED, "InvalidRequestException", id="being deleted"
        ),
        pytest.param(misread({"ARN": 7, "SecretString": "canary"}), Code.BUSY, NOT_ITS_OWN, id="an odd name"),
        pytest.param(misread({"ARN": "arn", "SecretString": ["canary"]}), Code.BUSY, NOT_ITS_OWN, id="a list"),
        pytest.param(misread({"ARN": "arn", "SecretBinary": 7}), Code.BUSY, "TypeError", id="odd bytes"),
        pytest.param(misread(["canary"]), Code.BUSY, "AttributeError", id="no object"),
    ],
)
def test_what_secrets_manager_refuses(keeper: Keeper, fault: Fault, code: Code, reason: str) -> None:
    keeper.wire.meet("GetSecretValue", fault)
    failure = keeper.failure()
    assert failure.code is code
    assert failure.message == f"Secrets Manager GetSecretValue: {reason}"
    assert keeper.value() == "canary-old"


def test_an_outage_after_five_minutes_is_told_and_over_with_the_next_fetch(keeper: Keeper) -> None:
    keeper.value()
    keeper.clock.now += 300
    keeper.wire.meet("GetSecretValue", down)
    assert keeper.failure().code is Code.BUSY
    assert keeper.value() == "canary-old"


def test_a_secret_shows_itself_in_no_representation(keeper: Keeper) -> None:
    secret = keeper.secrets.get(keeper.pocketful)
    assert "canary" not in f"{secret} {secret!r} {keeper.secrets!r}"
