"""Our two cookies: the browser key that ties attempts to a browser, and what the home page remembers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from brokerlink.secret import Secret

MAX_AGE: Final = 43_200
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_LINK: Final = re.compile(r"([a-z][a-z0-9_]{0,31})\.([1-9][0-9]{9})")
_SEPARATOR: Final = "~"
_MOST_LINKS: Final = 40


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and writes the cookies. `secure` is False only on a plain-http loopback base URL."""

    secure: bool

    @property
    def key_name(self) -> str:
        """The browser key's cookie; `__Host-` keeps other hosts and paths from setting it (RFC 6265bis §4.1.3.2)."""
        return "__Host-brokerlink" if self.secure else "brokerlink"

    @property
    def links_name(self) -> str:
        """The links' cookie."""
        return f"{self.key_name}-links"

    def browser_key(self, cookies: Iterable[str]) -> Secret | None:
        """Give the browser key of a request; None where there is none, or not exactly one well-formed one."""
        values = set(_values(cookies, self.key_name))
        only = values.pop() if len(values) == 1 else None
        return Secret(only) if only is not None and _KEY.fullmatch(only) else None

    def keep_browser_key(self, key: Secret) -> str:
        """Give the Set-Cookie value that keeps the browser key for twelve hours."""
        return self._set(self.key_name, key.reveal())

    def links(self, cookies: Iterable[str], now: int) -> dict[str, int]:
        """Give broker and expiry (epoch seconds) of this browser's live links; trusted for nothing but showing them."""
        values = _values(cookies, self.links_name)
        if len(values) != 1:
            return {}
        found = [_LINK.fullmatch(part) for part in values[0].split(_SEPARATOR)[:_MOST_LINKS]]
        if not all(found):
            return {}
        return {match[1]: int(match[2]) for match in found if match and int(match[2]) > now}

    def keep_links(self, links: Mapping[str, int]) -> str:
        """Give the Set-Cookie value that remembers the links."""
        return self._set(self.links_name, _SEPARATOR.join(f"{broker}.{until}" for broker, until in links.items()))

    def _set(self, name: str, value: str) -> str:
        secure = "; Secure" if self.secure else ""
        return f"{name}={value}; Max-Age={MAX_AGE}; Path=/; HttpOnly; SameSite=Lax{secure}"


def _values(cookies: Iterable[str], name: str) -> list[str]:
    pairs = [cookie.strip().partition("=") for cookie in cookies]
    return [value for found, _, value in pairs if found == name]
