"""The pages before a login: choose a broker, or be asked before a login begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from brokerlink.web.document import Icon, button, document, more, paragraphs
from brokerlink.web.markup import Markup, element
from brokerlink.web.times import time_and_day

# `linked_until` comes from a cookie, and no broker's day is longer.
_LONGEST_LINK: Final = 48 * 3600


@dataclass(frozen=True, slots=True)
class BrokerLink:
    """A broker on the home page; `linked_until` (epoch seconds) ends a login made in this browser."""

    name: str
    href: str
    linked_until: int | None = None


def home(brokers: Sequence[BrokerLink], *, direct_logins: bool, now: int) -> str:
    """Give the list of brokers with a link each.

    Without `direct_logins` the links are plain ones: what they lead to says the same as this page, that a
    login starts from the customer's platform.
    """
    if not brokers:
        return document(
            "No broker is set up yet",
            paragraphs("There is nothing to log in to here so far. Please try again later."),
            icon=Icon.STOP,
        )
    rows = [_row(broker, direct_logins=direct_logins, now=now) for broker in brokers]
    if not direct_logins:
        return document(
            "Start from your trading platform",
            paragraphs(
                "Open the platform you trade with and choose your broker there. "
                "It brings you here for the login. These brokers can be used:"
            ),
            element("ul", *rows, class_="brokers plain", role="list"),
        )
    return document(
        "Log in to your broker",
        paragraphs("Brokers ask for a fresh login every trading day. Choose yours to begin."),
        element("ul", *rows, class_="brokers", role="list"),
    )


def _row(broker: BrokerLink, *, direct_logins: bool, now: int) -> Markup:
    until, linked = broker.linked_until, None
    if until is not None and now < until <= now + _LONGEST_LINK:
        linked = element("p", Icon.DONE.draw(20), f"Linked until {time_and_day(until)}", class_="until")
    if not direct_logins:
        return element("li", more(broker.href, broker.name), linked)
    label = f"Log in to {broker.name} again" if linked else f"Log in to {broker.name}"
    return element("li", element("h2", broker.name), linked, button(broker.href, label, quiet=linked is not None))


def own_link(broker: str, start_href: str) -> str:
    """Give the page before a login that another site's link began: only the customer's own click goes on."""
    return document(
        f"Log in to {broker}?",
        paragraphs(
            f"Another website sent you here to log in to {broker}.",
            "If you meant to do this, continue. If not, just close this page: nothing has happened.",
        ),
        button(start_href, f"Continue to {broker}"),
        icon=Icon.LINK,
    )


def post_form(broker: str, action: str, fields: Mapping[str, str]) -> str:
    """Give the page whose one button posts `fields` to the broker at `action`, an absolute http(s) URL."""
    return document(
        f"Continue to {broker}",
        paragraphs(f"You will log in on {broker}'s own website, which then brings you back here."),
        element(
            "form",
            *(element("input", type="hidden", name=name, value=value) for name, value in fields.items()),
            element("button", f"Continue to {broker}", type="submit", class_="button"),
            method="post",
            action=action,
        ),
        icon=Icon.NEXT,
    )
