"""What all pages share: the document around them, their icons, links and buttons."""

from __future__ import annotations

from enum import Enum
from typing import Final

from brokerlink.web.markup import Markup, element, fragment
from brokerlink.web.style import STYLE

# A data: URL, or browsers would ask for /favicon.ico.
_FAVICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='8' fill='%230b57a4'/%3E"
    "%3Cpath d='M14 11h-3a5 5 0 000 10h3m4-10h3a5 5 0 010 10h-3m-6-5h8'"
    " fill='none' stroke='%23fff' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E"
)
_HEAD: Final = Markup(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
    f'<link rel="icon" href="{_FAVICON}"><style>{STYLE}</style>'
)


class Icon(Enum):
    """A picture beside words that say the same: a path in a box of 24 by 24, and the class of its colours."""

    DONE = ("M5 12.5l4.5 4.5L19 7.5", "good")
    LINK = ("M10 8H8a4 4 0 000 8h2m4-8h2a4 4 0 010 8h-2m-5-4h6", "info")
    NEXT = ("M5 12h14m-6-6 6 6-6 6", "info")
    WAIT = ("M12 3a9 9 0 109 9", "info")
    STOP = ("M12 6.5v7m0 4v.01", "warn")

    @property
    def tone(self) -> str:
        """Its class in the style sheet."""
        return self.value[1]

    def draw(self, size: int) -> Markup:
        """Give the icon `size` pixels wide, hidden from screen readers."""
        return element(
            "svg",
            element("path", d=self.value[0]),
            class_="spin" if self is Icon.WAIT else None,
            width=str(size),
            height=str(size),
            viewBox="0 0 24 24",
            fill="none",
            stroke="currentColor",
            stroke_width="2.5",
            stroke_linecap="round",
            stroke_linejoin="round",
            aria_hidden="true",
        )


_HEADER: Final = element("header", Icon.LINK.draw(24), "brokerlink")
_FOOTER: Final = element(
    "footer",
    element("p", "You log in on your broker's own website. This page never asks for your password or OTP."),
)


def document(
    title: str,
    *children: str | None,
    icon: Icon | None = None,
    broker: str | None = None,
    refresh: int | None = None,
) -> str:
    """Give a whole HTML document with `title` for the tab and as its heading.

    `broker` is named beside the icon, for a heading that does not name it. `refresh` is the number of seconds
    after which the browser loads the page's URL again.
    """
    head = element(
        "head",
        _HEAD,
        None if refresh is None else element("meta", http_equiv="refresh", content=str(refresh)),
        element("title", f"{title} | brokerlink"),
    )
    top = None
    if icon is not None:
        top = element("div", element("div", icon.draw(28), class_=f"mark {icon.tone}"), broker, class_="top")
    main = element("main", top, element("h1", title), *children)
    page = element("html", head, element("body", _HEADER, main, _FOOTER), lang="en-IN")
    return f"<!doctype html>{page}"


def button(href: str, label: str, *, quiet: bool = False) -> Markup:
    """Give a link that looks like a button; a quiet one is for what is rarely needed."""
    return element("a", label, class_="button quiet" if quiet else "button", href=href)


def more(href: str, label: str) -> Markup:
    """Give a plain link, as large to tap as a button."""
    return element("a", label, class_="more", href=href)


def paragraphs(*texts: str | None) -> Markup:
    """Give each text as a paragraph; None is left out."""
    return fragment(*(element("p", text) for text in texts if text is not None))
