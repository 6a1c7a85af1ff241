"""Settings that people write: what is wrong is named, and its value is never shown."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from brokerlink.errors import SettingError
from brokerlink.fields import Fields, check_url, is_loopback


class Kind(StrEnum):
    ONE = "one"
    TWO = "two"


def fields(values: object, *, loopback: bool = False) -> Fields:
    return Fields("Apps.broker", values, loopback=loopback)


def problem(read: Callable[[], object]) -> str:
    """Give the text of the refusal, which must name a setting and hold no canary."""
    with pytest.raises(SettingError) as raised:
        read()
    text = str(raised.value)
    assert text.startswith(raised.value.setting)
    assert "canary" not in f"{text} {raised.value!r} {raised.value.__cause__!r}"
    return text


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "https://broker.example",
        "https://broker.example/",
        "https://broker.example/path?x=1",
        "https://broker.example:8443/path",
        "HTTPS://Broker.Example",
        "https://127.0.0.1",
        "https://[2001:db8::1]/",
    ],
)
def test_an_https_url_is_given_back_as_it_is(url: str) -> None:
    assert check_url("Setting", url, loopback=False) == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/x", "http://localhost", "http://[::1]:8001"])
def test_plain_http_is_for_loopback_where_that_is_allowed(url: str) -> None:
    assert check_url("Setting", url, loopback=True) == url
    assert "https" in problem(lambda: check_url("Setting", url, loopback=False))


HOSTILE = [
    "",
    "canary",
    "canary.example/path",
    "//canary.example",
    "/canary",
    "ftp://canary.example",
    "javascript:canary",
    "data:text/html,canary",
    "https:",
    "https://",
    "https:///canary",
    "https://:443/canary",
    "https://canary@broker.example",
    "https://canary:secret@broker.example",
    "https://broker.example/#canary",
    "https://broker.example#",
    "https://broker.example/canary path",
    "https://broker.example/\tcanary",
    "https://broker.example/canary\n",
    "https://broker.example\r\nX: canary",
    "https://broker.example\\canary",
    "https://broker.example/é-canary",
    "https://canary.\u0435xample",
    "https://broker.example:canary",
    "https://broker.example:99999/canary",
    "https://[canary",
    "http://canary.example",
    "http://127.0.0.1.canary.example",
    "http://localhost.canary.example",
    "http://127.0.0.2/canary",
    "http://0.0.0.0/canary",
    "http://canary@127.0.0.1",
]


@pytest.mark.parametrize("url", HOSTILE, ids=ascii)
def test_any_other_url_is_refused(url: str) -> None:
    assert problem(lambda: check_url("Setting", url, loopback=True)).startswith("Setting ")


@pytest.mark.parametrize("url", ["https://broker.example?", "https://broker.example/?canary=1"])
def test_a_query_is_refused_where_paths_are_appended(url: str) -> None:
    assert check_url("Setting", url, loopback=False) == url
    assert "query" in problem(lambda: check_url("Setting", url, loopback=False, query=False))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.0.0.2", False),
        ("example.com", False),
        (None, False),
    ],
)
def test_this_machine_by_its_names(host: str | None, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback


# fields


@pytest.mark.parametrize("values", [None, "canary", 7, ["canary"], {7: "canary"}], ids=str)
def test_only_an_object_has_settings(values: object) -> None:
    assert problem(lambda: fields(values)) == "Apps.broker has to be an object with names and values"


def test_what_is_there_is_read() -> None:
    read = fields(
        {
            "text": "a é ✓",
            "choice": "two",
            "flag": False,
            "whole": 24,
            "url": "https://broker.example/x?y=1",
            "base": "https://broker.example/",
            "lettered": "https://broker.example/X",
            "texts": {"X-Api-Version": "1"},
            "section": {"path": "data.client_id"},
        }
    )
    assert read.has("text")
    assert read.text("text") == "a é ✓"
    assert read.choice("choice", Kind, Kind.ONE) is Kind.TWO
    assert read.flag("flag", default=True) is False
    assert read.whole("whole", least=1, most=24) == read.whole("whole", least=24, most=48) == 24
    assert read.url("url") == "https://broker.example/x?y=1"
    assert read.base_url("base", "") == "https://broker.example"
    assert read.base_url("lettered", "") == "https://broker.example/X"
    assert read.texts("texts") == {"X-Api-Version": "1"}
    assert read.section("section").text("path") == "data.client_id"
    read.finish()


def test_what_is_absent_has_its_default() -> None:
    read = fields({})
    assert not read.has("text")
    assert read.text("text", "default") == "default"
    assert read.optional_text("text") is None
    assert read.choice("choice", Kind, Kind.ONE) is Kind.ONE
    assert read.flag("flag", default=True) is True
    assert read.url("url", "https://broker.example") == "https://broker.example"
    assert read.base_url("base", "https://broker.example/") == "https://broker.example"
    assert read.texts("texts") == {}
    read.finish()


# Each reader, and values that are not its.
WRONG: list[tuple[str, Callable[[Fields], object], list[Any]]] = [
    (
        "text",
        lambda f: f.text("it"),
        ["", "canary\n", "can\x00ary", "canary\x7f", "canary\ud800", 7, True, None, ["canary"], {}],
    ),
    ("optional text", lambda f: f.optional_text("it"), ["", 7, None, "canary\t"]),
    ("pattern", lambda f: f.text("it", pattern="[a-z]+"), ["canary7", "CANARY", "canary\n", " canary"]),
    ("choice", lambda f: f.choice("it", Kind, Kind.ONE), ["canary", "", "ONE", 1, None, ["one"], {"canary": 1}]),
    ("flag", lambda f: f.flag("it", default=True), ["true", "canary", 0, 1, None, []]),
    ("whole", lambda f: f.whole("it", least=1, most=24), [0, 25, -1, 1.0, "1", True, None, "canary", 10**30]),
    ("url", lambda f: f.url("it"), ["http://broker.example/canary", "canary", "", 7, None]),
    ("base url", lambda f: f.base_url("it", "https://x.example"), ["https://x.example/?canary", "canary", 7, ""]),
    (
        "texts",
        lambda f: f.texts("it"),
        ["canary", ["canary"], None, {"name": 7}, {"name": ""}, {"name": "canary\r\n"}, {7: "canary"}],
    ),
    ("section", lambda f: f.section("it"), ["canary", None, ["canary"], 7]),
]


@pytest.mark.parametrize(
    ("read", "value"),
    [pytest.param(read, value, id=f"{kind}: {value!a:.24}") for kind, read, values in WRONG for value in values],
)
def test_a_wrong_value_is_named_and_not_shown(read: Callable[[Fields], object], value: object) -> None:
    assert problem(lambda: read(fields({"it": value}))).startswith("Apps.broker.it")


@pytest.mark.parametrize("read", [lambda f: f.text("it"), lambda f: f.url("it"), lambda f: f.section("it")])
def test_what_is_required_is_missed_by_its_name(read: Callable[[Fields], object]) -> None:
    assert problem(lambda: read(fields({}))).startswith("Apps.broker.it")


def test_what_is_absent_is_told_from_what_is_malformed() -> None:
    assert problem(lambda: fields({}).text("it")) == "Apps.broker.it is missing or malformed"
    assert problem(lambda: fields({"it": 7}).text("it")) == "Apps.broker.it is malformed"


def test_a_whole_number_tells_how_large_it_may_be() -> None:
    refusal = problem(lambda: fields({"it": 0}).whole("it", least=1, most=24))
    assert refusal == "Apps.broker.it has to be a whole number from 1 to 24"


def test_a_choice_tells_what_it_may_be() -> None:
    assert problem(lambda: fields({"it": "canary"}).choice("it", Kind, Kind.ONE)).endswith("has to be one of: one, two")


# what nobody asked for


@pytest.mark.parametrize("name", ["client_ids", "allow_unpinnned", "x", "day_2", "x" * 32, "X", "X" * 32])
def test_a_misspelt_setting_is_refused_by_its_name(name: str) -> None:
    assert problem(lambda: fields({name: "canary"}).finish()) == f"Apps.broker.{name} is not a setting"


@pytest.mark.parametrize(
    "name",
    [
        "canary secret",
        "CANARY-7f",
        "canary" * 10,
        "x" * 33,
        "X" * 33,
        "canary\n",
        "",
        "7canary",
        "<canary>",
        "s3:canary",
    ],
)
def test_a_name_that_may_be_a_pasted_secret_is_not_shown(name: str) -> None:
    expected = "Apps.broker.(unreadable name) is not a setting"
    assert problem(lambda: fields({name: "x"}).finish()) == expected
    assert problem(lambda: fields({"texts": {name: 7}}).texts("texts")).startswith(
        "Apps.broker.texts.(unreadable name)"
    )


def test_a_headers_name_is_shown() -> None:
    wrong = fields({"headers": {"X-Api-Version": 7}})
    assert problem(lambda: wrong.texts("headers")) == "Apps.broker.headers.X-Api-Version is malformed"


def test_a_section_is_finished_by_itself() -> None:
    read = fields({"section": {"path": "x", "pth": "y"}})
    section = read.section("section")
    section.text("path")
    read.finish()
    assert problem(section.finish) == "Apps.broker.section.pth is not a setting"


def test_loopback_holds_within_a_section() -> None:
    values = {"section": {"url": "http://127.0.0.1:8001/x"}}
    assert fields(values, loopback=True).section("section").url("url") == "http://127.0.0.1:8001/x"
    assert "https" in problem(lambda: fields(values).section("section").url("url"))


def test_loopback_has_to_be_allowed() -> None:
    local = "http://127.0.0.1:8001"
    assert fields({}, loopback=True).base_url("it", local) == fields({}, loopback=True).url("it", local) == local
    assert "https" in problem(lambda: Fields("Apps.broker", {}).url("it", local))
    assert "https" in problem(lambda: Fields("Apps.broker", {}).base_url("it", local))
