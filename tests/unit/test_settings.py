"""The functions' environment: one broker's mistake is its own, and no value is ever shown."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from brokerlink.environment import required
from brokerlink.errors import SettingError
from brokerlink.settings import (
    WebSettings,
    attempt_seconds,
    broker_apps,
    direct_accounts,
    plain_loopback,
    return_to_prefixes,
    web_settings,
)
from tests.kit.world import APPS

LEAST = {"BROKERLINK_ATTEMPTS_TABLE": "LoginAttempts"}


def read(**environment: str) -> WebSettings:
    return web_settings(LEAST | {f"BROKERLINK_{name}": value for name, value in environment.items()})


def problem(make: Callable[[], object]) -> str:
    with pytest.raises(SettingError) as raised:
        make()
    assert "canary" not in f"{raised.value} {raised.value!r} {raised.value.__cause__!r}"
    return str(raised.value)


def test_the_least_that_works() -> None:
    settings = read()
    assert settings.attempts_table == "LoginAttempts"
    assert settings.base_url is None
    assert settings.canonical_host
    assert (settings.brokers.on, settings.brokers.off) == ({}, {})
    assert settings.return_to == ()
    assert settings.direct_accounts == frozenset()
    assert not settings.direct_logins
    assert settings.attempt_seconds == 600
    assert settings.problems == ()


def test_all_that_can_be_set() -> None:
    settings = read(
        BASE_URL="https://login.example.com/",
        CANONICAL_HOST="false",
        BROKER_APPS=json.dumps(APPS),
        RETURN_TO="https://app.example.com/a, https://app.example.com/b",
        DIRECT_LOGIN_ACCOUNTS="YA0002,50052770",
        ATTEMPT_SECONDS="300",
    )
    assert settings.base_url == "https://login.example.com"
    assert not settings.canonical_host
    assert set(settings.brokers.on) == {"pocketful", "fivepaisa"}
    assert settings.return_to == ("https://app.example.com/a", "https://app.example.com/b")
    assert settings.direct_accounts == frozenset({"YA0002", "50052770"})
    assert settings.direct_logins
    assert settings.attempt_seconds == 300
    assert settings.problems == ()


@pytest.mark.parametrize("environment", [{}, {"BROKERLINK_ATTEMPTS_TABLE": ""}])
def test_nothing_works_without_its_table(environment: dict[str, str]) -> None:
    assert "BROKERLINK_ATTEMPTS_TABLE" in problem(lambda: web_settings(environment))


def test_what_is_required_is_given_or_named() -> None:
    assert required({"NAME": "value"}, "NAME") == "value"
    assert problem(lambda: required({}, "NAME")) == "NAME is missing from the function's environment"


# the base URL


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "https://login.example.com:8443"])
def test_base_url(url: str) -> None:
    assert read(BASE_URL=url).base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "http://canary.example.com",
        "https://canary@login.example.com",
        "https://login.example.com/#canary",
        "https://login.example.com/?canary",
        "https://",
        "ftp://canary.example.com",
        " https://canary.example.com",
    ],
)
def test_plain_http_anywhere_else_and_other_nonsense_is_refused_at_init(url: str) -> None:
    assert problem(lambda: read(BASE_URL=url)).startswith("PublicBaseUrl ")


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        (None, False),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("https://localhost:8000", False),
        ("https://login.example.com", False),
    ],
)
def test_plain_loopback(url: str | None, *, loopback: bool) -> None:
    assert plain_loopback(url) is loopback


def test_plain_http_endpoints_go_with_a_plain_http_loopback_base_url_alone() -> None:
    apps = json.dumps({"pocketful": {"client_id": "x", "auth_base": "http://localhost:8001/pocketful"}})
    local = read(BASE_URL="http://127.0.0.1:8000", BROKER_APPS=apps)
    assert set(local.brokers.on) == {"pocketful"}
    for base_url in ("https://login.example.com", "https://127.0.0.1:8000", ""):
        deployed = read(BASE_URL=base_url, BROKER_APPS=apps)
        assert deployed.brokers.off["pocketful"].setting == "BrokerApps.pocketful.auth_base"


# broker apps


@pytest.mark.parametrize(
    "text",
    [
        "canary",
        "{canary}",
        '{"pocketful": {"client_id": "canary"}',
        "[" * 100_000,
        '["canary"]',
        '"canary"',
        "null",
        "7",
        '{"pocketful": {}, "pocketful": {"client_id": "canary"}}',
        '{"pocketful": {"client_id": "canary", "client_id": "canary-2"}}',
    ],
    ids=lambda text: text[:40],
)
def test_broker_apps_that_cannot_be_read_are_off_and_the_rest_works(text: str) -> None:
    assert problem(lambda: broker_apps(text)).startswith("BrokerApps ")
    settings = read(BROKER_APPS=text, ATTEMPT_SECONDS="300")
    assert settings.brokers.on == {}
    assert [each.setting for each in settings.problems] == ["BrokerApps"]
    assert settings.attempt_seconds == 300


@pytest.mark.parametrize(
    ("app", "setting"),
    [
        pytest.param({}, "BrokerApps.pocketful.client_id", id="missing"),
        pytest.param({"client_id": ""}, "BrokerApps.pocketful.client_id", id="empty"),
        pytest.param({"client_id": 7}, "BrokerApps.pocketful.client_id", id="a number"),
        pytest.param({"client_id": "canary\n"}, "BrokerApps.pocketful.client_id", id="a line break"),
        pytest.param({"client_id": "canary\ud800"}, "BrokerApps.pocketful.client_id", id="half a surrogate pair"),
        pytest.param("canary", "BrokerApps.pocketful", id="a text"),
        pytest.param(None, "BrokerApps.pocketful", id="null"),
        pytest.param({"client_id": "x", "pkce": "canary"}, "BrokerApps.pocketful.pkce", id="a wrong flag"),
        pytest.param({"client_id": "x", "scope": 'can"ary'}, "BrokerApps.pocketful.scope", id="a wrong scope"),
        pytest.param(
            {"client_id": "x", "auth_base": "http://canary.example"}, "BrokerApps.pocketful.auth_base", id="plain http"
        ),
        pytest.param(
            {"client_id": "x", "auth_base": "https://canary@x.example"}, "BrokerApps.pocketful.auth_base", id="userinfo"
        ),
        pytest.param(
            {"client_id": "x", "api_base": "https://x.example/#canary"}, "BrokerApps.pocketful.api_base", id="fragment"
        ),
        pytest.param(
            {"client_id": "x", "client_secret": "canary"}, "BrokerApps.pocketful.client_secret", id="a secret here"
        ),
        pytest.param({"client_id": "x", "Canary 7": "y"}, "BrokerApps.pocketful.(unreadable name)", id="a pasted name"),
    ],
)
def test_a_broker_with_wrong_settings_is_off_alone_by_the_settings_name(app: object, setting: str) -> None:
    settings = read(BROKER_APPS=json.dumps({"pocketful": app, "fivepaisa": {"vendor_key": "x"}}))
    assert set(settings.brokers.on) == {"fivepaisa"}
    assert settings.brokers.off["pocketful"].setting == setting
    assert "canary" not in str(settings.brokers.off).lower()


@pytest.mark.parametrize("broker_id", ["unknown", "base", "door", "account"])
def test_a_broker_that_is_not_shipped_is_off(broker_id: str) -> None:
    settings = read(BROKER_APPS=json.dumps({broker_id: {"client_id": "canary"}}))
    assert settings.brokers.off[broker_id].setting == f"BrokerApps.{broker_id}"


@pytest.mark.parametrize("broker_id", ["Canary", "../canary", "canary.fields", "", "canary" * 6, "canary\n", "7canary"])
def test_a_key_that_is_no_brokers_id_is_not_shown(broker_id: str) -> None:
    settings = read(BROKER_APPS=json.dumps({broker_id: {"client_id": "canary"}}))
    assert settings.brokers.on == {}
    assert list(settings.brokers.off) == ["(unreadable name)"]
    assert "canary" not in str(settings.brokers.off).lower()


# the others


@pytest.mark.parametrize(("text", "seconds"), [("", 600), ("60", 60), ("600", 600), ("3600", 3600), ("0060", 60)])
def test_attempt_seconds(text: str, seconds: int) -> None:
    assert attempt_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["59", "3601", "0", "-60", "6e2", "600.0", " 600", "600\n", "canary", "٦٠٠", "0006001", "9" * 5000],
    ids=ascii,
)
def test_wrong_attempt_seconds_are_named_and_the_default_holds(text: str) -> None:
    assert problem(lambda: attempt_seconds(text)).startswith("AttemptSeconds ")
    settings = read(ATTEMPT_SECONDS=text)
    assert settings.attempt_seconds == 600
    assert [each.setting for each in settings.problems] == ["AttemptSeconds"]


@pytest.mark.parametrize(
    ("text", "prefixes"),
    [
        ("", ()),
        (" , ", ()),
        ("https://a.example", ("https://a.example",)),
        ("https://a.example/x/,https://b.example", ("https://a.example/x/", "https://b.example")),
        (" https://a.example , ", ("https://a.example",)),
    ],
)
def test_return_to_prefixes(text: str, prefixes: tuple[str, ...]) -> None:
    assert return_to_prefixes(text, loopback=False) == prefixes


@pytest.mark.parametrize(
    "text",
    [
        "canary",
        "http://canary.example",
        "https://a.example/?canary",
        "https://a.example#canary",
        "https://canary@a.example",
        "https://a.example,canary",
        "http://127.0.0.1:8000/canary",
    ],
)
def test_wrong_return_to_is_named_and_nothing_is_allowed(text: str) -> None:
    assert problem(lambda: return_to_prefixes(text, loopback=False)).startswith("ReturnTo ")
    settings = read(RETURN_TO=text, BASE_URL="https://login.example.com")
    assert settings.return_to == ()
    assert [each.setting for each in settings.problems] == ["ReturnTo"]


def test_return_to_may_be_plain_http_on_a_local_stack() -> None:
    settings = read(RETURN_TO="http://127.0.0.1:8000/example/", BASE_URL="http://127.0.0.1:8000")
    assert settings.return_to == ("http://127.0.0.1:8000/example/",)


@pytest.mark.parametrize(
    ("text", "accounts"),
    [
        ("", frozenset()),
        (" ", frozenset()),
        (",", frozenset()),
        ("*", None),
        ("YA0002", frozenset({"YA0002"})),
        ("YA0002, 50052770", frozenset({"YA0002", "50052770"})),
    ],
)
def test_direct_accounts(text: str, accounts: frozenset[str] | None) -> None:
    assert direct_accounts(text) == accounts


def test_several_mistakes_are_all_told() -> None:
    settings = read(BROKER_APPS="canary", RETURN_TO="canary", ATTEMPT_SECONDS="canary")
    assert {each.setting for each in settings.problems} == {"BrokerApps", "ReturnTo", "AttemptSeconds"}
    assert "canary" not in str(settings.problems)
