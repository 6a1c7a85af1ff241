"""The search itself: a secret is found in whatever way it is written down, and so is a part of it."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest

from tests.canaries.brokers import ODD
from tests.canaries.canaries import Canaries, Kind, canary
from tests.canaries.search import Search, without
from tests.canaries.seen import Seen

PLAIN = canary()
SECRETS = {"plain": PLAIN, "odd": PLAIN + ODD, "base64url": "-_" + PLAIN + "_-"}
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": lambda secret: f"a {secret} b",
    "in JSON": lambda secret: json.dumps({"a": [secret]}),
    "in JSON in JSON": lambda secret: json.dumps({"a": json.dumps({"b": secret})}),
    "in JSON beyond ASCII": lambda secret: json.dumps({"a": secret}, ensure_ascii=False),
    "escaped for JSON throughout": lambda secret: "".join(f"\\u{ord(character):04x}" for character in secret),
    "escaped for Python throughout": lambda secret: "".join(f"\\x{byte:02x}" for byte in secret.encode()),
    "in a URL": lambda secret: f"https://example.com/?a={quote(secret, safe='')}",
    "in a URL in a URL": lambda secret: quote(quote_plus(secret), safe=""),
    "in a form": lambda secret: urlencode({"a": secret}),
    "escaped for a URL throughout": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "in HTML": lambda secret: f"<p>{html.escape(secret)}</p>",
    "escaped for HTML throughout": lambda secret: "".join(f"&#{ord(character)};" for character in secret),
    "escaped for HTML in hexadecimal": lambda secret: "".join(f"&#x{ord(character):X};" for character in secret),
    "by repr": lambda secret: repr([secret]),
    "by repr of bytes": lambda secret: repr({"a": secret.encode()}),
    "in hexadecimal": lambda secret: secret.encode().hex(),
    "in upper-case hexadecimal": lambda secret: secret.encode().hex().upper(),
    "backwards": lambda secret: secret[::-1],
    "in lower case": str.lower,
    "in upper case": str.upper,
    "in a Basic header": lambda secret: base64.b64encode(f"id:{quote_plus(secret)}".encode()).decode(),
    "the beginning of it": lambda secret: f"{secret[:20]}…",
    "the end of it": lambda secret: f"…{secret.partition(PLAIN)[1][-16:]}",
    "without its ends": lambda secret: secret.partition(PLAIN)[1][9:25],
}
NEIGHBOURS = [(before, after) for before in range(4) for after in range(3)]


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_secret_is_found_in_whatever_way_it_is_written(secret: str, write: Callable[[str], str]) -> None:
    assert Search({"it": secret, "other": canary()})(write(secret)) == {"it"}


@pytest.mark.parametrize(("before", "after"), NEIGHBOURS)
@pytest.mark.parametrize("code", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_secret_is_found_wherever_in_base64_it_begins(
    secret: str, code: Callable[[bytes], bytes], before: int, after: int
) -> None:
    text = code(b"b" * before + secret.encode() + b"a" * after).decode()
    assert Search({"it": secret, "other": canary()})(text) == {"it"}


def test_bytes_are_found() -> None:
    sealed = bytes(range(100, 180))
    for written in (
        sealed.hex(),
        base64.b64encode(sealed).decode(),
        repr(sealed),
        base64.b64encode(b"x" + sealed).decode(),
    ):
        assert Search({"it": sealed})(written) == {"it"}


@pytest.mark.parametrize("before", range(8))
def test_every_fifteen_characters_are_found(before: int) -> None:
    for start in range(len(PLAIN) - 14):
        assert Search({"it": PLAIN})("-" * before + PLAIN[start : start + 15] + "-") == {"it"}


def test_nothing_is_found_where_nothing_is() -> None:
    search = Search({name: canary() for name in "abc"})
    assert search("") == set()
    assert search(f"a page of no secrets, c25yeQ== and %20 {canary()}") == set()


def test_secret_that_nothing_tells_from_other_texts_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be searched for"):
        Search({"it": "short"})


def test_what_is_in_its_place_is_blotted_out_and_nothing_else() -> None:
    secret, other = canary() + ODD, canary()
    for write in (WAYS["in JSON"], WAYS["in a URL"], WAYS["in a form"], WAYS["in HTML"], WAYS["in a Basic header"]):
        text = without(f"{write(secret)} {other}", [secret])
        assert Search({"it": secret, "other": other})(text) == {"other"}


def test_place_is_one_for_its_kind_and_its_own_secrets_alone() -> None:
    canaries = Canaries()
    own, anothers, session = canaries.new(Kind.STATE), canaries.new(Kind.STATE), canaries.new(Kind.SESSION)
    place, seen = "Location of GET /authorize/{broker}", Seen(canaries)
    seen.note(place, f"https://broker.example/?state={own}", own={Kind.STATE: [own]})
    assert seen.leaks() == []
    assert seen.used == {(place, Kind.STATE)}
    seen.note(place, f"https://broker.example/?state={own}&x={anothers}", where="another's", own={Kind.STATE: [own]})
    seen.note(place, f"https://broker.example/?state={session}", where="a session", own={Kind.SESSION: [session]})
    seen.note("log", own, where="a log", own={Kind.STATE: [own]})
    assert [line.partition(" (")[2].partition(")")[0] for line in seen.leaks()] == ["another's", "a session", "a log"]
