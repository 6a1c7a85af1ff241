"""`GET /`: the brokers, a link to each, and until when this browser linked them."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from brokerlink.outcomes import Budget
from brokerlink.settings import WebSettings
from brokerlink.web import pages
from brokerlink.web.request import WebRequest
from brokerlink.web.responses import Response, page, redirect
from brokerlink.web.site import Site


@dataclass(frozen=True, slots=True)
class Home:
    """The home page. `clock` gives epoch seconds."""

    settings: WebSettings
    clock: Callable[[], float]

    def __call__(self, request: WebRequest, _: Budget) -> Response:
        """Show the page, on the canonical host."""
        site = Site.of(request, self.settings.base_url)
        if (elsewhere := to_canonical_host(request, site, self.settings)) is not None:
            return elsewhere
        now = int(self.clock())
        links = site.cookies.links(request.cookies, now)
        brokers = [
            pages.BrokerLink(broker.name, site.path(f"/authorize/{broker.id}"), links.get(broker.id))
            for broker in self.settings.brokers.on.values()
        ]
        return page(pages.home(brokers, direct_logins=self.settings.direct_logins, now=now))


def to_canonical_host(request: WebRequest, site: Site, settings: WebSettings) -> Response | None:
    """Give the way to the same page on the base URL's host: a login that ends on another one has lost its cookie."""
    if settings.base_url is None or not settings.canonical_host or not request.is_elsewhere(site.base_url):
        return None
    # The gateway has decoded the path, line breaks included; the query is as the browser wrote it.
    query = quote(request.query, safe=string.punctuation)
    return redirect(site.url(quote(request.path)) + (f"?{query}" if query else ""))
