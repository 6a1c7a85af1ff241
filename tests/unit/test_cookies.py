"""brokerlink.web.cookies: the two cookies, exactly as the contract has them."""

from __future__ import annotations

import pytest

from brokerlink.secret import Secret
from brokerlink.web.cookies import Cookies

KEY = "Ab0-_" * 8 + "xyz"
OTHER = "B" + KEY[1:]
NOW = 1_795_404_600
SECURE, PLAIN = Cookies(secure=True), Cookies(secure=False)


def test_browser_key_cookie_is_exactly_this() -> None:
    assert SECURE.keep_browser_key(Secret(KEY)) == (
        f"__Host-brokerlink={KEY}; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax; Secure"
    )


def test_links_cookie_is_exactly_this() -> None:
    assert SECURE.keep_links({"pocketful": NOW + 60, "fivepaisa": NOW + 70}) == (
        f"__Host-brokerlink-links=pocketful.{NOW + 60}~fivepaisa.{NOW + 70}"
        "; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax; Secure"
    )


def test_plain_cookies_lose_prefix_and_secure_and_nothing_else() -> None:
    assert PLAIN.keep_browser_key(Secret(KEY)) == f"brokerlink={KEY}; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax"
    assert PLAIN.keep_links({}) == "brokerlink-links=; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    "cookies",
    [
        [f"__Host-brokerlink={KEY}"],
        [f" __Host-brokerlink={KEY} "],
        ["other=1", f"__Host-brokerlink={KEY}", "__Host-brokerlink-links=x"],
        # The same value twice is no doubt about which it is.
        [f"__Host-brokerlink={KEY}", f"__Host-brokerlink={KEY}"],
        [f"__Host-brokerlink={KEY}", f"brokerlink={OTHER}"],
    ],
)
def test_browser_key_is_found(cookies: list[str]) -> None:
    assert SECURE.browser_key(cookies) == Secret(KEY)


@pytest.mark.parametrize(
    "cookies",
    [
        [],
        [""],
        ["__Host-brokerlink"],
        ["__Host-brokerlink="],
        [f"__Host-brokerlink={KEY[:-1]}"],
        [f"__Host-brokerlink={KEY}A"],
        [f"__Host-brokerlink={KEY}="],
        [f'__Host-brokerlink="{KEY}"'],
        [f"__Host-brokerlink={KEY[:-1]}+"],
        [f"__Host-brokerlink={KEY[:-1]}é"],
        [f"__Host-brokerlink={KEY[:-3]}%41"],
        [f"__Host-brokerlink={KEY}\nx"],
        [f"__Host-brokerlink={KEY}", f"__Host-brokerlink={OTHER}"],
        [f"__Host-brokerlink={KEY}", "__Host-brokerlink=short"],
        [f"__Host-brokerlink={KEY}", "__Host-brokerlink="],
        [f"__Host-brokerlink={KEY}", f"__Host-brokerlink={KEY}={KEY}"],
        [f"__host-brokerlink={KEY}"],
        [f"__Host-Brokerlink={KEY}"],
        [f"brokerlink={KEY}"],
        [f"x__Host-brokerlink={KEY}"],
        [f"__Host-brokerlink-links={KEY}"],
        [f"a=b; __Host-brokerlink={KEY}"],
    ],
)
def test_anything_but_one_well_formed_key_is_none(cookies: list[str]) -> None:
    assert SECURE.browser_key(cookies) is None


def test_plain_site_does_not_read_the_other_name() -> None:
    assert PLAIN.browser_key([f"__Host-brokerlink={KEY}"]) is None
    assert PLAIN.browser_key([f"brokerlink={KEY}"]) == Secret(KEY)


def test_links_come_back_as_they_were_kept() -> None:
    links = {"pocketful": NOW + 60, "oauth_2": NOW + 70, "b": NOW + 80, "b" * 32: NOW + 90}
    kept = SECURE.keep_links(links).split(";")[0]
    assert SECURE.links([kept], NOW) == links


def test_links_end_by_the_clock() -> None:
    kept = [f"__Host-brokerlink-links=pocketful.{NOW}~fivepaisa.{NOW + 1}"]
    assert SECURE.links(kept, NOW) == {"fivepaisa": NOW + 1}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "~",
        "pocketful",
        f"pocketful.{NOW + 60}~",
        f"pocketful.{NOW + 60}~<script>",
        f"Pocketful.{NOW + 60}",
        f"pocket-ful.{NOW + 60}",
        f"{'p' * 33}.{NOW + 60}",
        f"pocketful.0{NOW + 60}",
        f"pocketful.{NOW + 60}0",
        f"pocketful.-{NOW}",
        "pocketful.١٧٩٥٤٠٤٦٦٠",
        f"pocketful,{NOW + 60}",
        f"pocketful.{NOW + 60};fivepaisa.{NOW + 60}",
    ],
)
def test_links_are_parsed_strictly(value: str) -> None:
    assert SECURE.links([f"__Host-brokerlink-links={value}"], NOW) == {}


def test_links_given_twice_are_none() -> None:
    kept = f"__Host-brokerlink-links=pocketful.{NOW + 60}"
    assert SECURE.links([kept, kept], NOW) == {}


def test_links_are_bounded() -> None:
    many = "~".join(f"b{number}.{NOW + 60}" for number in range(2_000))
    assert len(SECURE.links([f"__Host-brokerlink-links={many}"], NOW)) <= 40
