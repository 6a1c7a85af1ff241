"""brokerlink.web.pages: every page keeps the same rules, whatever is passed to it."""

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from brokerlink.errors import FAILURES, Code
from brokerlink.web import pages
from brokerlink.web.style import STYLE_HASH

NOW = 1_795_404_012  # Mon 23 Nov 2026, 08:50:12 IST
MIDNIGHT = 1_795_458_600  # Tue 24 Nov 2026, 00:00 IST
ATTEMPT = "kT3vQ9xZ0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1w"

type Page = Callable[[str, str], str]  # of a text and an href, used wherever the page takes one


def home(text: str, href: str, *, direct_logins: bool = True) -> str:
    brokers = [pages.BrokerLink(text, href, MIDNIGHT), pages.BrokerLink(text, href)]
    return pages.home(brokers, direct_logins=direct_logins, now=NOW)


def failed(text: str, href: str, reference: str | None = ATTEMPT) -> str:
    return pages.failed(
        text,
        text,
        now=NOW,
        home_href=href,
        broker=text,
        retry_href=href,
        wait_until=NOW + 300,
        reference=reference,
    )


PAGES: dict[str, Page] = {
    "home": home,
    "home without direct logins": lambda text, href: home(text, href, direct_logins=False),
    "connected": lambda text, href: pages.connected(text, text, MIDNIGHT, now=NOW, continue_href=None, home_href=href),
    "connected, to be continued": lambda text, href: pages.connected(
        text, "YA0002", MIDNIGHT, now=NOW, continue_href=href, home_href="/"
    ),
    "ended": lambda text, href: pages.ended(text, MIDNIGHT, href),
    "confirm": lambda text, href: pages.confirm(text, NOW + 600, now=NOW, continue_href=href),
    "unfinished": pages.unfinished,
    "failed": failed,
    "failed, quoting": lambda text, href: failed("Title", href, reference=text),
    "failed in another browser": lambda text, href: pages.failed(text, text, now=NOW, home_href=href),
    "own_link": pages.own_link,
    "post_form": lambda text, href: pages.post_form(text, href, {text: text}),
    "notice": lambda text, href: pages.notice(text, text, href=href, label=text),
}
PAGES_WITHOUT_LINK: dict[str, Page] = {
    "home without brokers": lambda _text, _href: pages.home([], direct_logins=True, now=NOW),
    "confirm without link": lambda text, _href: pages.confirm(text, NOW + 600, now=NOW, continue_href=None),
    "waiting": lambda text, _href: pages.waiting(text, 3),
    "in_place": lambda text, _href: pages.in_place(text, text, broker=text),
    "notice without link": lambda text, _href: pages.notice(text, text, href=None),
}
ALL_PAGES = PAGES | PAGES_WITHOUT_LINK

each_page = pytest.mark.parametrize("page", ALL_PAGES.values(), ids=ALL_PAGES.keys())
each_page_with_a_link = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())

HOSTILE_TEXTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</title></style><script>alert(1)</script>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "{{7*7}}${7*7}%s%(x)s{0}{broker}",
    "javascript:alert(1)",
    "पॉकेटफुल 🚀",
]


class Document(HTMLParser):
    """What a browser would build of a page; raises on a tag that is not balanced."""

    VOID = frozenset({"meta", "link", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.titles: list[str] = []
        self.styles: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        for name, value in attrs:
            assert value is not None
            self.attributes.append((tag, name, value))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        within = self._open[-1]
        if within == "style":
            self.styles.append(data)
        elif within == "title":
            self.titles.append(data)
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        pytest.fail(f"a declaration: {data}")

    def values(self, attribute: str) -> list[str]:
        return [value for _, name, value in self.attributes if name == attribute]

    def links(self) -> list[str]:
        return [value for tag, name, value in self.attributes if (tag, name) in {("a", "href"), ("form", "action")}]


@each_page
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_hostile_value_stays_text(page: Page, text: str) -> None:
    hostile, harmless = Document(page(text, "/x")), Document(page("harmless text", "/x"))
    assert hostile.tags == harmless.tags


@pytest.mark.parametrize("name", sorted(ALL_PAGES.keys() - {"home without brokers", "failed, quoting"}))
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_hostile_value_is_shown_as_it_is(name: str, text: str) -> None:
    document = Document(ALL_PAGES[name](text, "/x"))
    assert text in document.text


def test_hidden_fields_reach_the_broker_unchanged() -> None:
    fields = {
        "State": "a+b&c=\"<'>",
        'x"><script>': "%2B ",
        "ResponseURL": "https://x.example/callback/y?a&amp;b",
    }
    document = Document(pages.post_form("5paisa", "https://broker.example/login?a=1&b=2", fields))
    assert dict(zip(document.values("name")[-3:], document.values("value"), strict=True)) == fields
    assert document.values("action") == ["https://broker.example/login?a=1&b=2"]
    assert document.values("method") == ["post"]


@each_page_with_a_link
def test_a_link_arrives_byte_for_byte(page: Page) -> None:
    href = "https://platform.example/connected?a=1&amp;b=%22%3C&q=\"'<>&copy=2"
    assert href in Document(page("Pocketful", href)).links()


@each_page_with_a_link
@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "java\tscript:x"]
)
def test_a_link_to_anything_but_http_is_never_rendered(page: Page, href: str) -> None:
    with pytest.raises(ValueError, match=r"^a link must be http\(s\) or a path on this origin$"):
        page("Pocketful", href)


@pytest.mark.parametrize("name", ALL_PAGES)
def test_only_a_successful_login_says_the_word(name: str) -> None:
    html = ALL_PAGES[name]("Pocketful", "https://platform.example/Connected?disconnected=1")
    assert ("connected" in html.lower()) is name.startswith("connected")


@pytest.mark.parametrize("code", Code)
def test_no_failures_text_says_the_word(code: Code) -> None:
    failure = FAILURES[code]
    for html in (
        pages.failed(failure.title, failure.text, now=NOW, home_href="/", broker="Pocketful", retry_href="/x"),
        pages.in_place(failure.title, failure.text),
    ):
        assert "connected" not in html.lower()


@each_page
def test_the_one_style_block_is_the_one_that_the_policy_allows(page: Page) -> None:
    document = Document(page("Pocketful", "/x"))
    [style] = document.styles
    assert f"sha256-{b64encode(sha256(style.encode()).digest()).decode()}" == STYLE_HASH
    assert [tag for tag, _ in document.tags].count("style") == 1
    assert document.values("style") == []


@each_page
def test_nothing_runs_and_nothing_is_fetched(page: Page) -> None:
    document = Document(page("Pocketful", "/x"))
    tags = {tag for tag, _ in document.tags}
    assert tags.isdisjoint({"script", "img", "iframe", "object", "embed", "base", "audio", "video"})
    assert not [name for _, name, _ in document.attributes if name.startswith("on") or name in {"src", "srcset"}]
    assert [value[:5] for tag, name, value in document.attributes if (tag, name) == ("link", "href")] == ["data:"]


@each_page
def test_every_page_is_small_named_and_accessible(page: Page) -> None:
    html = page("Pocketful", "/x")
    document = Document(html)
    tags = [tag for tag, _ in document.tags]
    assert len(html.encode()) < 8192
    assert html.startswith('<!doctype html><html lang="en-IN"><head><meta charset="utf-8">')
    assert [tags.count(tag) for tag in ("main", "h1", "header", "footer", "title")] == [1] * 5
    assert {"width=device-width,initial-scale=1", "light dark", "noindex"} <= set(document.values("content"))
    assert document.values("aria-hidden") == ["true"] * tags.count("svg")
    [title] = document.titles
    assert re.fullmatch(r".+ \| brokerlink", title)


@each_page
def test_every_text_fits_the_wire(page: Page) -> None:
    page("\ud800\x00", "/x").encode()


class TestHome:
    def test_links_each_broker(self) -> None:
        html = pages.home(
            [
                pages.BrokerLink("Pocketful", "/authorize/pocketful"),
                pages.BrokerLink("5paisa", "/authorize/fivepaisa"),
            ],
            direct_logins=True,
            now=NOW,
        )
        document = Document(html)
        assert document.links() == ["/authorize/pocketful", "/authorize/fivepaisa"]
        assert "Log in to Pocketful" in document.text
        assert "Log in to 5paisa" in document.text
        assert "Linked" not in document.text

    def test_shows_until_when_a_broker_is_linked(self) -> None:
        html = pages.home([pages.BrokerLink("Pocketful", "/x", MIDNIGHT)], direct_logins=True, now=NOW)
        text = Document(html).text
        assert "Linked until 00:00 IST, Tue 24 Nov" in text
        assert "Log in to Pocketful again" in text

    @pytest.mark.parametrize("linked_until", [NOW, NOW - 1, 0, -1, NOW + 48 * 3600 + 1, 10**18])
    def test_an_end_that_cannot_be_is_not_shown(self, linked_until: int) -> None:
        html = pages.home([pages.BrokerLink("Pocketful", "/x", linked_until)], direct_logins=True, now=NOW)
        text = Document(html).text
        assert "Linked" not in text
        assert "again" not in text

    def test_says_where_logins_start_when_they_do_not_start_here(self) -> None:
        html = pages.home([pages.BrokerLink("Pocketful", "/authorize/pocketful")], direct_logins=False, now=NOW)
        document = Document(html)
        assert "Start from your trading platform" in document.text
        assert "Log in to Pocketful" not in document.text
        assert document.links() == ["/authorize/pocketful"]

    def test_says_that_no_broker_is_configured(self) -> None:
        assert "No broker is set up yet" in Document(pages.home([], direct_logins=True, now=NOW)).text


class TestOutcomes:
    def test_a_successful_login_shows_its_end_and_a_masked_account(self) -> None:
        html = pages.connected("Pocketful", "YA0002", MIDNIGHT, now=NOW, continue_href=None, home_href="/")
        document = Document(html)
        assert document.titles == ["Pocketful is connected | brokerlink"]
        assert "YA••02" in document.text
        assert "YA0002" not in html
        assert "midnight tonight (00:00 IST, Tue 24 Nov 2026)" in document.text
        assert document.links() == ["/"]

    def test_a_successful_login_goes_on_where_it_can(self) -> None:
        html = pages.connected(
            "Pocketful", "YA0002", MIDNIGHT, now=NOW, continue_href="https://platform.example/", home_href="/"
        )
        assert Document(html).links() == ["https://platform.example/", "/"]

    def test_a_login_of_yesterday_offers_the_next(self) -> None:
        document = Document(pages.ended("Pocketful", MIDNIGHT, "/authorize/pocketful"))
        assert "It was good until 00:00 IST, Tue 24 Nov." in document.text
        assert document.links() == ["/authorize/pocketful"]

    def test_a_held_login_says_how_long_it_is_held(self) -> None:
        document = Document(pages.confirm("Pocketful", NOW + 600, now=NOW, continue_href="https://p.example/"))
        assert "before 09:00 IST" in document.text
        assert document.links() == ["https://p.example/"]

    def test_a_held_login_warns_whoever_was_sent_the_link(self) -> None:
        html = pages.confirm("Pocketful", NOW + 600, now=NOW, continue_href=None)
        assert "Did somebody else send you the link" in Document(html).text

    def test_waiting_needs_no_hand(self) -> None:
        document = Document(pages.waiting("Pocketful", 3))
        assert ("meta", "content", "3") in document.attributes
        assert document.values("http-equiv") == ["refresh"]
        assert document.values("aria-live") == ["polite"]
        assert document.links() == [""]

    def test_only_waiting_refreshes_itself(self) -> None:
        for name, page in ALL_PAGES.items():
            assert ("http-equiv" in page("Pocketful", "/x")) is (name == "waiting")

    def test_an_unfinished_login_can_be_started_again(self) -> None:
        document = Document(pages.unfinished("Pocketful", "/authorize/pocketful?retry=a"))
        assert document.links() == ["/authorize/pocketful?retry=a"]


class TestProblems:
    def test_a_failure_has_one_button_to_try_again(self) -> None:
        html = pages.failed(
            "Title",
            "Text.",
            now=NOW,
            home_href="/",
            broker="Pocketful",
            retry_href="/retry",
            reference=ATTEMPT,
        )
        document = Document(html)
        assert document.links() == ["/retry", "/"]
        assert document.values("class").count("button") == 1
        assert "Reference for support: kT3vQ9xZ0aB1" in document.text
        assert "wait" not in document.text

    @pytest.mark.parametrize(
        ("wait_until", "said"),
        [(NOW + 1, "08:51 IST"), (NOW + 340, "08:56 IST"), (MIDNIGHT + 1, "00:01 IST, Tue 24 Nov")],
    )
    def test_a_broker_that_wants_peace_gets_it(self, wait_until: int, said: str) -> None:
        html = pages.failed("T", "T", now=NOW, home_href="/", broker="Pocketful", wait_until=wait_until)
        assert f"Pocketful asks you to wait until {said} before you try again." in Document(html).text

    @pytest.mark.parametrize("wait_until", [None, NOW, NOW - 1])
    def test_a_wait_that_is_over_is_not_told(self, wait_until: int | None) -> None:
        html = pages.failed("T", "T", now=NOW, home_href="/", wait_until=wait_until)
        assert "wait" not in Document(html).text

    def test_another_browsers_login_is_not_told_of(self) -> None:
        failure = FAILURES[Code.WRONG_BROWSER]
        document = Document(pages.failed(failure.title, failure.text, now=NOW, home_href="/"))
        assert document.links() == ["/"]
        assert "Reference" not in document.text

    def test_in_place_repeats_its_url_without_spelling_it(self) -> None:
        assert Document(pages.in_place("We are busy", "Text.")).links() == [""]

    def test_a_notice_has_the_way_on_that_it_is_given(self) -> None:
        assert Document(pages.notice("T", "T", href="/", label="All brokers")).links() == ["/"]
        assert Document(pages.notice("T", "T", href=None)).links() == []


def test_a_cross_site_start_names_the_broker_and_goes_on_by_our_own_link() -> None:
    document = Document(pages.own_link("Pocketful", "/authorize/pocketful?return_to=https://p.example/"))
    assert "Another website sent you here to log in to Pocketful." in document.text
    assert document.links() == ["/authorize/pocketful?return_to=https://p.example/"]
