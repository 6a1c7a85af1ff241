"""brokerlink.web.markup: what is not built here is text, and a link leads to http(s) or to this origin."""

import pytest

from brokerlink.web.markup import Markup, element, escape, fragment, link


def test_a_child_that_is_not_markup_is_text() -> None:
    assert element("p", "<b>", element("i", "&")) == "<p>&lt;b&gt;<i>&amp;</i></p>"


def test_markup_put_into_a_string_is_text_again() -> None:
    assert element("p", f"{element('b')} and") == "<p>&lt;b&gt;&lt;/b&gt; and</p>"


def test_an_attribute_is_escaped_even_if_it_is_markup() -> None:
    assert element("p", title=Markup('"><script>')) == '<p title="&quot;&gt;&lt;script&gt;"></p>'


def test_none_is_left_out_and_empty_is_kept() -> None:
    assert element("p", None, "", title=None, lang="") == '<p lang=""></p>'


def test_names_of_attributes_are_written_as_html_writes_them() -> None:
    assert element("meta", http_equiv="refresh", class_="a") == '<meta http-equiv="refresh" class="a">'


def test_a_void_element_has_no_end_tag() -> None:
    assert element("input", type="hidden") == '<input type="hidden">'


def test_a_fragment_is_its_children() -> None:
    assert fragment("<", None, Markup("<br>")) == "&lt;<br>"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x85", "\ud800", chr(0xDFFF)])
def test_what_no_document_may_hold_is_replaced(character: str) -> None:
    assert escape(f"a{character}b") == "a\ufffdb"
    escape(character).encode()


def test_all_five_characters_that_html_reads_are_escaped() -> None:
    assert escape("&<>\"'") == "&amp;&lt;&gt;&quot;&#x27;"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "/authorize/pocketful?retry=kT3-_9",
        "https://platform.example",
        "https://platform.example:8443/back?a=1#top",
        "HTTPS://Platform.example/",
        "http://127.0.0.1:8000/example/",
    ],
)
def test_a_link_to_http_or_this_origin_is_kept(url: str) -> None:
    assert link(url) == url


HOSTILE_LINKS = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "blob:https://platform.example/1",
    "file:///etc/passwd",
    "intent://scan/#Intent;scheme=zxing;end",
    "mailto:a@b.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://\\evil.example",
    "http\u017f://evil.example",
    "https://\u212aevil.example",
    "https://platform.example/a b",
    "https://platform.example/\n",
    "https://platform.example/ä",
    "/\x00",
    "/a\\b",
    "authorize/pocketful",
    "?retry=1",
    "#top",
    " ",
]


@pytest.mark.parametrize("url", HOSTILE_LINKS)
def test_any_other_link_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^a link must be http\(s\) or a path on this origin$"):
        link(url)


@pytest.mark.parametrize("attribute", ["href", "action"])
def test_an_element_cannot_get_round_the_refusal(attribute: str) -> None:
    with pytest.raises(ValueError, match=r"^a link must be"):
        element("a", None, **{attribute: Markup("javascript:alert(1)")})


def test_a_links_quotes_and_ampersands_are_escaped() -> None:
    assert link('/a?b="&c=<>') == "/a?b=&quot;&amp;c=&lt;&gt;"


def test_the_word_of_success_is_not_spelt_out_in_a_link() -> None:
    assert link("/Connected/disconnected") == "/&#67;onnected/dis&#99;onnected"
