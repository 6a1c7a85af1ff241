"""What `make configure` asks for, refuses and writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws

from brokerlink.brokers import make_broker
from tools.broker_apps import ask_public, ask_secret, read_secrets, write_secrets
from tools.command import Failure

SECRET = "hush-hush-1"


def typing(*answers: str, asked: list[str] | None = None) -> Callable[[str], str]:
    """Somebody who types these answers; what they were asked is noted."""
    given = iter(answers)

    def ask(prompt: str) -> str:
        if asked is not None:
            asked.append(prompt)
        return next(given)

    return ask


def test_only_what_the_broker_lacks_is_asked_for() -> None:
    asked: list[str] = []
    broker, app = ask_public("pocketful", None, {}, typing(" Ybg3 ", asked=asked), loopback=False)
    assert asked == ["pocketful client_id: "]
    assert app == {"client_id": "Ybg3"}
    assert broker.id == "pocketful"


def test_enter_keeps_what_is_there_and_text_replaces_it() -> None:
    current = {"client_id": "old", "scope": "orders", "pkce": False}
    _, app = ask_public("pocketful", current, {}, typing("new", ""), loopback=False)
    assert app == {"client_id": "new", "scope": "orders", "pkce": False}
    assert current["client_id"] == "old"


def test_given_settings_are_not_asked_for() -> None:
    given = {"client_id": "given", "pkce": False}
    _, app = ask_public("pocketful", {"client_id": "old"}, given, typing(), loopback=False)
    assert app == given


def test_unusable_answer_is_asked_for_again_and_after_three_it_ends() -> None:
    asked: list[str] = []
    _, app = ask_public("pocketful", None, {}, typing("", "\x07", "good", asked=asked), loopback=False)
    assert app == {"client_id": "good"}
    assert len(asked) == 3
    with pytest.raises(Failure, match=r"BrokerApps\.pocketful\.client_id"):
        ask_public("pocketful", None, {}, typing("", "", ""), loopback=False)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"client_id": "x", "clientid": "x"}, r"BrokerApps\.pocketful\.clientid is not a setting"),
        ({"client_id": "x", "pkce": "yes"}, r"BrokerApps\.pocketful\.pkce has to be true or false"),
        ({"client_id": "x", "auth_base": "http://login.example"}, r"BrokerApps\.pocketful\.auth_base has to be https"),
    ],
)
def test_given_setting_that_is_wrong_is_refused_by_name(given: dict[str, object], named: str) -> None:
    with pytest.raises(Failure, match=named):
        ask_public("pocketful", None, given, typing(), loopback=False)


def test_unknown_broker_becomes_an_oauth2_one(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    answers = ("client-1", "https://acme.example/auth", "https://acme.example/token", "data.account")
    broker, app = ask_public("acme", None, {}, typing(*answers, asked=asked), loopback=False)
    assert "OAuth 2.0" in capsys.readouterr().out
    assert app["protocol"] == "oauth2"
    assert app["account"] == {"path": "data.account"}
    assert asked[-1] == "acme account.path: "
    assert broker.secret_names == {"client_secret"}


@pytest.mark.parametrize("broker_id", ["Pocketful", "poc ketful", "", "../base", "base"])
def test_broker_that_cannot_be_is_refused(broker_id: str) -> None:
    with pytest.raises(Failure):
        ask_public(broker_id, None, {}, typing(*[""] * 4), loopback=False)


def test_secret_is_asked_for_by_name_and_kept_by_enter() -> None:
    fivepaisa = make_broker("fivepaisa", {"vendor_key": "key"})
    asked: list[str] = []
    current = {"encryption_key": "old-key"}
    assert ask_secret(fivepaisa, current, typing("", "user-1", asked=asked)) == {
        "encryption_key": "old-key",
        "user_id": "user-1",
    }
    assert "Enter keeps" in asked[0]
    assert "Enter keeps" not in asked[1]
    assert "old-key" not in "".join(asked)


@pytest.mark.parametrize("wrong", ["", " padded", "padded ", "two\nlines", "bell\x07"])
def test_secret_that_cannot_be_sent_is_asked_for_again(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    pocketful = make_broker("pocketful", {"client_id": "x"})
    assert ask_secret(pocketful, {}, typing(wrong, SECRET)) == {"client_secret": SECRET}
    with pytest.raises(Failure, match="nothing was changed"):
        ask_secret(pocketful, {}, typing(wrong, wrong, wrong))
    said = capsys.readouterr()
    assert not wrong.strip() or wrong.strip() not in said.out + said.err


@pytest.fixture
def stored() -> Iterator[tuple[object, str]]:
    with mock_aws():
        client = boto3.client("secretsmanager")
        yield client, client.create_secret(Name="brokers", SecretString="{}")["ARN"]


def test_secrets_are_written_and_read_whole(stored: tuple[object, str]) -> None:
    client, arn = boto3.client("secretsmanager"), stored[1]
    assert read_secrets(client, arn) == {}
    write_secrets(client, arn, {"pocketful": {"client_secret": SECRET}})
    assert read_secrets(client, arn) == {"pocketful": {"client_secret": SECRET}}


@pytest.mark.parametrize("text", ["", SECRET, "[]", json.dumps({"pocketful": SECRET}), "{" * 2000])
def test_secret_of_another_shape_is_refused_without_being_shown(stored: tuple[object, str], text: str) -> None:
    client, arn = boto3.client("secretsmanager"), stored[1]
    client.put_secret_value(SecretId=arn, SecretString=text or " ")
    with pytest.raises(Failure) as refused:
        read_secrets(client, arn)
    assert SECRET not in str(refused.value)
