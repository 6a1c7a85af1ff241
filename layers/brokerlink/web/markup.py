"""HTML that is escaped unless it was built here.

A page is a tree of `element` calls: its tags are balanced by construction, and a value from outside can only
ever be text, because forgetting about escaping means getting it.
"""

from __future__ import annotations

import re
from html import escape as escape_html
from typing import Final

_VOID: Final = frozenset({"input", "meta"})  # HTML Living Standard §13.1.2: elements without an end tag
_NOT_IN_HTML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# An http(s) URL, a path on this origin, or "", the URL of the page itself (RFC 3986 §4.4). Printable ASCII
# without a backslash: browsers read `/\host` as `//host`, and `java<tab>script:` as `javascript:`.
_LINK: Final = re.compile(r"(?:https?://[a-z0-9[]|/(?!/)|\Z)[!-\[\]-~]*", re.IGNORECASE | re.ASCII)
_SUCCESS_WORD: Final = re.compile("c(?=onnected)", re.IGNORECASE)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: str) -> str:
    """Give `text` fit for an element's content and for a quoted attribute.

    Characters that no HTML document may hold (controls, lone surrogates) become U+FFFD.
    """
    return escape_html(_NOT_IN_HTML.sub("\ufffd", text))


def link(url: str) -> str:
    """Give `url` fit for a quoted attribute: http(s), a path on this origin, or "" for the page's own URL.

    Only the page of a successful login may contain the word "connected". A platform's own URL may contain it
    too, so its first letter is written as a character reference here: the browser follows the same bytes.

    Raises ValueError for any other URL, `javascript:` and `//host` among them.
    """
    if not _LINK.fullmatch(url):
        raise ValueError("a link must be http(s) or a path on this origin")
    return _SUCCESS_WORD.sub(lambda letter: f"&#{ord(letter[0])};", escape(url))


def element(tag: str, /, *children: str | None, **attributes: str | None) -> Markup:
    """Give one element; a child that is not Markup is text, and whatever is None is left out.

    In attribute names a trailing underscore is dropped and others become hyphens (`class_`, `http_equiv`).
    `href` and `action` go through `link`, hence its ValueError.
    """
    opening = [tag]
    for name, value in attributes.items():
        if value is not None:
            text = link(value) if name in {"href", "action"} else escape(value)
            opening.append(f'{name.rstrip("_").replace("_", "-")}="{text}"')
    start = f"<{' '.join(opening)}>"
    return Markup(start if tag in _VOID else f"{start}{fragment(*children)}</{tag}>")


def fragment(*children: str | None) -> Markup:
    """Give the children one after the other, without an element around them."""
    return Markup(
        "".join(child if isinstance(child, Markup) else escape(child) for child in children if child is not None)
    )
