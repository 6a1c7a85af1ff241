"""Browser profiles, one for each customer of a test."""

from collections import defaultdict
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext

SECONDS = 15
"""How long anything may take on a busy machine."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a browser looks like: the window's size, a phone or not, light or dark."""

    width: int = 390
    height: int = 844
    phone: bool = True
    dark: bool = False


class Profiles:
    """Lends profiles, each without cookies and with one tab open, and takes them back.

    A used one is emptied instead of thrown away: a new one costs a second of two processes' starting.
    """

    def __init__(self, browser: Browser, *, scripts: bool) -> None:
        self._browser = browser
        self._scripts = scripts
        self._free: defaultdict[Look, list[BrowserContext]] = defaultdict(list)

    def take(self, look: Look) -> BrowserContext:
        """Give a profile that nobody else has."""
        return self._free[look].pop() if self._free[look] else self._new(look)

    def give_back(self, look: Look, profile: BrowserContext) -> None:
        """Take a profile back, and with it every tab but the first."""
        for page in profile.pages[1:]:
            page.close()
        profile.clear_cookies()
        self._free[look].append(profile)

    def _new(self, look: Look) -> BrowserContext:
        profile = self._browser.new_context(
            java_script_enabled=self._scripts,
            viewport={"width": look.width, "height": look.height},
            is_mobile=look.phone,
            has_touch=look.phone,
            color_scheme="dark" if look.dark else "light",
        )
        profile.set_default_timeout(SECONDS * 1000)
        profile.new_page()  # stays, or the profile's processes would end with the customer's tabs
        return profile
