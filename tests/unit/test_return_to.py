"""brokerlink.web.return_to: hostile URLs, in tables that only grow."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerlink.web.return_to import is_allowed, with_outcome

LIST = ("https://app.example.com/brokers", "https://other.example.com", "https://slash.example.com/end/")

ALLOWED = [
    "https://app.example.com/brokers",
    "https://app.example.com/brokers/",
    "https://app.example.com/brokers/done",
    "https://app.example.com/brokers?",
    "https://app.example.com/brokers?a=1&b=2",
    "https://app.example.com/brokers/done?next=https%3A%2F%2Fapp.example.com%2F..%2f%5c",
    "https://app.example.com/brokers?next=https://evil.example/",
    "https://app.example.com/brokers/a%20b/%C3%A9",
    "https://app.example.com/brokers/...",
    "https://app.example.com/brokers/.well-known",
    "https://app.example.com/brokers/a..b",
    "https://app.example.com/brokers/@me",
    "https://app.example.com/brokers/!~",
    "https://app.example.com/brokers//double",
    "https://app.example.com/brokers?statuses=1&my_status=2&brokerage=3&attempts=4&errors=5",
    "https://app.example.com/brokers?value=status",
    "https://app.example.com/brokers?%2573tatus=1",
    "https://app.example.com/brokers?q='%22%3Cb%3E",
    "https://other.example.com",
    "https://other.example.com/",
    "https://other.example.com?x=1",
    "https://other.example.com/anything/at/all",
    "https://slash.example.com/end/",
    "https://slash.example.com/end/of",
]

REFUSED = [
    "",
    "/",
    "/brokers",
    "brokers",
    "?x=1",
    # another origin
    "https://evil.example/",
    "https://evil.example/https://app.example.com/brokers",
    "https://app.example.com.evil.example/brokers",
    "https://other.example.com.evil.example/",
    "https://good.other.example.com/",
    "https://other.example.comevil.example/",
    "https://other.example.com:443/",
    "https://other.example.com:8443/",
    "https://other.example.com:/",
    "https://other.example.com:evil/",
    "https://other.example.com:99999/",
    "https://other.example.com./",
    "http://other.example.com/",
    "HTTPS://other.example.com/",
    "https://OTHER.example.com/",
    "https:other.example.com/",
    "https:/other.example.com/",
    "https:///other.example.com/",
    "//other.example.com/",
    "///other.example.com/",
    "//evil.example/",
    "/\\evil.example",
    "https:evil.example",
    "/%2f%2fevil.example",
    "/%09/evil.example",
    "https://[::1]/",
    "https://[evil/",
    "https://127.0.0.1/",
    # another scheme
    "javascript:alert(1)",
    "javascript://app.example.com/brokers%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "ftp://other.example.com/",
    "file:///etc/passwd",
    "blob:https://other.example.com/x",
    "view-source:https://other.example.com/",
    # the path's prefix ends within a segment, or is not there
    "https://app.example.com/",
    "https://app.example.com",
    "https://app.example.com/brokersX",
    "https://app.example.com/brokers.evil",
    "https://app.example.com/brokers;x",
    "https://app.example.com/brokers%20",
    "https://app.example.com/brokers&x",
    "https://app.example.com/Brokers",
    "https://app.example.com/other/brokers",
    "https://slash.example.com/end",
    "https://slash.example.com/ending",
    # userinfo
    "https://other.example.com@evil.example/",
    "https://evil@other.example.com/",
    "https://:@other.example.com/",
    "https://other.example.com%40evil.example/",
    # fragment
    "https://other.example.com/#",
    "https://other.example.com/#x",
    "https://other.example.com/?x=1#status=connected",
    "https://other.example.com#@evil.example/",
    # backslash
    "https://other.example.com\\@evil.example/",
    "https://other.example.com/\\evil.example",
    "https://other.example.com/?x=\\",
    "https:\\\\other.example.com/",
    # control characters, space, non-ASCII
    " https://other.example.com/",
    "https://other.example.com/ ",
    "https://other.example.com/a b",
    "https://other.example.com/\t",
    "https://other.example.com/\r\nSet-Cookie: x=1",
    "https://other.example.com/\0",
    "https://other.example.com/\x7f",
    "https://other.example.com/\x1b[0m",
    "https://other.example.com/é",
    "https://other.example.com/\u202e",
    "https://other.example.com/\u2028",
    "https://öther.example.com/",
    "https://other.example.com\uff0fevil.example/",
    "https://other。example.com/",
    "https://other.example.com/\ud800",
    "\ufeffhttps://other.example.com/",
    # dot segments, and what a server may take for them
    "https://app.example.com/brokers/..",
    "https://app.example.com/brokers/../admin",
    "https://app.example.com/brokers/./x",
    "https://app.example.com/brokers/.",
    "https://app.example.com/brokers/x/../../admin",
    "https://app.example.com/brokers/%2e%2e/admin",
    "https://app.example.com/brokers/.%2E/admin",
    "https://app.example.com/brokers/%2e",
    "https://app.example.com/brokers/a%2eb",
    "https://app.example.com/brokers/%2f..%2fadmin",
    "https://app.example.com/brokers/%2F",
    "https://app.example.com/brokers/%5c..%5Cadmin",
    "https://app.example.com/brokers%2f",
    # a query name of ours, in any case and encoding
    "https://other.example.com/?status=connected",
    "https://other.example.com?status=connected",
    "https://other.example.com/?x=1&status=connected",
    "https://other.example.com/?Status=connected",
    "https://other.example.com/?STATUS",
    "https://other.example.com/?status",
    "https://other.example.com/?broker=pocketful",
    "https://other.example.com/?attempt=x",
    "https://other.example.com/?error=x",
    "https://other.example.com/?ERROR=x",
    "https://other.example.com/?%73tatus=connected",
    "https://other.example.com/?stat%75s=connected",
    "https://other.example.com/?%53TATUS=connected",
    "https://other.example.com/?+status=connected",
    "https://other.example.com/?status+=connected",
    "https://other.example.com/?%20status=connected",
    "https://other.example.com/?status%09=connected",
    "https://other.example.com/?x=1;status=connected",
    "https://other.example.com/?x=1&&error=x",
    "https://other.example.com/?bro%E2%84%AAer=x",
    # too long
    "https://other.example.com/" + "x" * 2048,
]


@pytest.mark.parametrize("url", ALLOWED)
def test_allowed(url: str) -> None:
    assert is_allowed(url, LIST)


@pytest.mark.parametrize("url", REFUSED)
def test_refused(url: str) -> None:
    assert not is_allowed(url, LIST)


@pytest.mark.parametrize("url", ALLOWED)
def test_nothing_is_allowed_where_the_list_is_empty(url: str) -> None:
    assert not is_allowed(url, ())


def test_length_has_a_limit() -> None:
    url = "https://other.example.com/".ljust(2048, "x")
    assert is_allowed(url, LIST)
    assert not is_allowed(url + "x", LIST)


@pytest.mark.parametrize(
    "origin",
    ["https://me@other.example.com", "https://other.example.com:evil", "https://other.example.com:99999", "https://"],
)
def test_no_list_can_allow_what_is_no_origin(origin: str) -> None:
    assert not is_allowed(f"{origin}/", (origin,))


@pytest.mark.parametrize("character", [chr(number) for number in (*range(0x21), 0x7F, 0x85, 0xA0, 0xFEFF)])
@pytest.mark.parametrize("place", [0, 5, 8, 20, 33])
def test_no_control_character_or_space_anywhere(character: str, place: int) -> None:
    url = "https://app.example.com/brokers/done"
    assert not is_allowed(url[:place] + character + url[place:], LIST)


@given(st.text(alphabet="/\\.:@?#&;=%2eEfF5cC stauASTU\t\u212a", max_size=40))
def test_whatever_is_allowed_stays_at_its_origin_and_below_its_path(rest: str) -> None:
    url = "https://app.example.com/brokers" + rest
    if not is_allowed(url, LIST):
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("https", "app.example.com")
    assert parts.path == "/brokers" or parts.path.startswith("/brokers/")
    assert not {".", ".."} & set(parts.path.lower().replace("%2e", ".").replace("%2f", "/").split("/"))
    assert not {name.lower().strip() for name, _ in parse_qsl(parts.query, keep_blank_values=True)} & {
        "status",
        "broker",
        "attempt",
        "error",
    }


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize(
    ("return_to", "end"),
    [
        ("https://a.example", "https://a.example?status=failed&error=denied"),
        ("https://a.example/", "https://a.example/?status=failed&error=denied"),
        ("https://a.example/?", "https://a.example/?status=failed&error=denied"),
        ("https://a.example/?x", "https://a.example/?x&status=failed&error=denied"),
        ("https://a.example/?x=1&", "https://a.example/?x=1&status=failed&error=denied"),
        ("https://a.example/?x=%41+b&X=;'", "https://a.example/?x=%41+b&X=;'&status=failed&error=denied"),
        ("https://a.example/?x=?", "https://a.example/?x=?status=failed&error=denied"),
    ],
)
def test_outcome_is_added_and_the_rest_kept_byte_for_byte(return_to: str, end: str) -> None:
    assert with_outcome(return_to, {"status": "failed", "error": "denied"}) == end


def test_outcome_is_encoded() -> None:
    assert with_outcome("https://a.example", {"error": "a/&=b"}) == "https://a.example?error=a%2F%26%3Db"


@pytest.mark.parametrize("return_to", [url for url in ALLOWED if "=" in url or "?" not in url])
def test_every_allowed_url_gets_an_outcome_that_its_server_reads(return_to: str) -> None:
    end = with_outcome(return_to, {"status": "connected", "broker": "pocketful", "attempt": "a-_"})
    assert end.startswith(return_to)
    read = parse_qsl(urlsplit(end).query, keep_blank_values=True)
    assert read[-3:] == [("status", "connected"), ("broker", "pocketful"), ("attempt", "a-_")]
    assert read[:-3] == parse_qsl(urlsplit(return_to).query, keep_blank_values=True)
    assert is_allowed(return_to, LIST)
