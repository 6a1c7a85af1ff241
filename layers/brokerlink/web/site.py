"""Our own addresses, as this request has to be given them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from brokerlink.web.cookies import Cookies
from brokerlink.web.request import WebRequest


@dataclass(frozen=True, slots=True)
class Site:
    """The public base URL, without a slash at its end."""

    base_url: str

    @classmethod
    def of(cls, request: WebRequest, configured: str | None) -> Site:
        """Give the site that a request came to."""
        return cls(request.base_url(configured))

    @property
    def secure(self) -> bool:
        """Whether the site is https; else it is on this machine."""
        return self.base_url.startswith("https:")

    @property
    def cookies(self) -> Cookies:
        """The cookies of this site."""
        return Cookies(self.secure)

    def path(self, path: str, **query: str) -> str:
        """Give a path on this site, below the base URL's own."""
        return urlsplit(self.base_url).path + path + (f"?{urlencode(query)}" if query else "")

    def url(self, path: str, **query: str) -> str:
        """Give a whole URL of this site."""
        return self.base_url + path + (f"?{urlencode(query)}" if query else "")

    def callback(self, broker_id: str) -> str:
        """Give the redirect_uri of a broker."""
        return self.url(f"/callback/{broker_id}")

    def retry(self, broker_id: str, attempt_id: str) -> str:
        """Give the path that begins a failed attempt anew."""
        return self.path(f"/authorize/{broker_id}", retry=attempt_id)
