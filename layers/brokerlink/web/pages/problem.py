"""The pages of a login that failed, and of a request that cannot be answered."""

from __future__ import annotations

from typing import Final

from brokerlink.web.document import Icon, button, document, more, paragraphs
from brokerlink.web.markup import Markup, element
from brokerlink.web.times import next_minute

_REFERENCE_LENGTH: Final = 12  # of an attempt_id's 43 characters: enough to find its log lines


def failed(
    title: str,
    text: str,
    *,
    now: int,
    home_href: str,
    broker: str | None = None,
    retry_href: str | None = None,
    wait_until: int | None = None,
    reference: str | None = None,
) -> str:
    """Give the page of a failed login; `title` and `text` come from the table of failures.

    `wait_until` is the epoch second before which the broker does not want to be asked again. `reference` is
    the attempt_id; its beginning is shown, to be quoted to support. A login that began in another browser has
    no broker, no `retry_href` and no reference: nothing of it may be told.
    """
    wait = None
    if wait_until is not None and wait_until > now:
        minute = next_minute(wait_until, now)
        wait = f"{broker or 'Your broker'} asks you to wait until {minute} before you try again."
    return document(
        title,
        paragraphs(text, wait),
        *_ways_on(broker, retry_href, home_href),
        _quoted(reference) if reference else None,
        icon=Icon.STOP,
        broker=broker,
    )


def _ways_on(broker: str | None, retry_href: str | None, home_href: str) -> tuple[Markup, ...]:
    if retry_href is None:
        return (button(home_href, "Go to the start page", quiet=True),)
    again = f"Log in to {broker} again" if broker else "Try again"
    return button(retry_href, again), more(home_href, "All brokers")


def _quoted(attempt_id: str) -> Markup:
    return element("p", f"Reference for support: {attempt_id[:_REFERENCE_LENGTH]}", class_="small reference")


def in_place(title: str, text: str, *, broker: str | None = None) -> str:
    """Give the page of a request that consumed nothing, with a link that loads the page's own URL again.

    The link is the empty one: at a callback that URL carries the state and the grant, which no page repeats.
    """
    return document(title, paragraphs(text), button("", "Try again"), icon=Icon.STOP, broker=broker)


def notice(title: str, text: str, *, href: str | None, label: str = "All brokers") -> str:
    """Give a page about a request and not a login: an unknown broker, a closed start, a used-up link."""
    way_on = None if href is None else button(href, label, quiet=True)
    return document(title, paragraphs(text), way_on, icon=Icon.STOP)
