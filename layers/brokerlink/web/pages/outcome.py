"""The pages after the broker sent the customer back: done, nearly done, or not yet."""

from __future__ import annotations

from brokerlink.web.document import Icon, button, document, more, paragraphs
from brokerlink.web.markup import Markup, element, fragment
from brokerlink.web.masking import mask_account
from brokerlink.web.times import last_minute, time_and_day, until


def connected(
    broker: str, account: str, expires_at: int, *, now: int, continue_href: str | None, home_href: str
) -> str:
    """Give the page of a successful login whose token lives until `expires_at`; `account` is masked here."""
    said, in_full = until(expires_at, now)
    facts = element(
        "dl",
        _fact("Account", mask_account(account)),
        _fact("Until", said, " ", element("span", f"({in_full})", class_="small")),
    )
    if continue_href is None:
        way_on = fragment(
            paragraphs("You are done for today. You can close this page."),
            button(home_href, "All brokers", quiet=True),
        )
    else:
        way_on = fragment(button(continue_href, "Continue"), more(home_href, "All brokers"))
    return document(f"{broker} is connected", facts, way_on, icon=Icon.DONE)


def _fact(name: str, *value: str) -> Markup:
    return element("div", element("dt", name), element("dd", *value))


def ended(broker: str, ended_at: int, start_href: str) -> str:
    """Give the page of a successful login whose token has died since: a tab that was left open overnight."""
    return document(
        f"Your {broker} login has ended",
        paragraphs(
            f"It was good until {time_and_day(ended_at)}. "
            "Brokers end every login once a day, so this is normal. Please log in again for today."
        ),
        button(start_href, f"Log in to {broker} again"),
        icon=Icon.STOP,
    )


def confirm(broker: str, held_until: int, *, now: int, continue_href: str | None) -> str:
    """Give the page of a held login: the customer's platform has yet to say who is present."""
    return document(
        "One step left",
        paragraphs(
            f"Your {broker} login worked. To finish, return to the trading platform you came from "
            f"before {last_minute(held_until, now)}."
        ),
        None if continue_href is None else button(continue_href, "Return to your platform"),
        element(
            "p",
            "Did somebody else send you the link that brought you here? Then close this page. "
            "This login is dropped by itself and nobody can use it.",
            class_="note warn",
        ),
        icon=Icon.NEXT,
    )


def waiting(broker: str, refresh_seconds: int) -> str:
    """Give the page of a login being finished; it loads its own URL again every `refresh_seconds`."""
    return document(
        f"Finishing your {broker} login",
        element(
            "p",
            "This takes a few seconds. The page moves on by itself: please keep it open and do not reload it.",
            role="status",
            aria_live="polite",
        ),
        # For browsers in which pages may not refresh themselves.
        more("", "Page not moving? Check now"),
        icon=Icon.WAIT,
        refresh=refresh_seconds,
    )


def unfinished(broker: str, retry_href: str) -> str:
    """Give the page of a login that is still at the broker: the customer came back early."""
    return document(
        f"Your {broker} login is not finished",
        paragraphs(
            f"{broker} has not sent you back to us yet. "
            "If its page is still open in another tab, finish there. If not, start again: nothing is lost."
        ),
        button(retry_href, f"Log in to {broker} again"),
        icon=Icon.STOP,
    )
