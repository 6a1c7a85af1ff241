"""Reads settings that people write (JSON, TOML), and names the one that is wrong without showing its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from brokerlink.errors import SettingError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# A setting's name, or an HTTP header's.
_NAME = r"[a-z][a-z0-9_]{0,31}|[A-Z][A-Za-z-]{0,31}"
# No control characters, and none that no encoding takes.
_TEXT = r"[^\x00-\x1f\x7f\ud800-\udfff]+"


def is_loopback(host: str | None) -> bool:
    """Say whether a host name is this machine."""
    return host in _LOOPBACK


def check_url(setting: str, url: str, *, loopback: bool, query: bool = True) -> str:
    """Give `url` back if it is https with a host, and no userinfo or fragment; plain http only on loopback, if allowed.

    Raises `SettingError` naming `setting`.
    """
    if not url.isascii() or any(character <= " " or character == "\\" for character in url):
        raise SettingError(setting, "holds a character that a URL cannot have")
    parts = _split(url)
    if parts is None:
        raise SettingError(setting, "is not a URL")
    if not parts.hostname or parts.scheme not in {"https", "http"}:
        raise SettingError(setting, "has to be an https URL with a host name")
    if parts.scheme == "http" and not (loopback and is_loopback(parts.hostname)):
        raise SettingError(setting, "has to be https (plain http only on loopback, where the public base URL is too)")
    if "@" in parts.netloc or "#" in url or (not query and "?" in url):
        raise SettingError(setting, "must not hold user information or a fragment" + ("" if query else ", nor a query"))
    return url


def _split(url: str) -> SplitResult | None:
    """Split a URL; None where it is none: what says so quotes it, and must not hang on an error of ours."""
    with suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port
        return parts
    return None


class Fields:
    """The settings in one JSON object or TOML table, read one by one; `finish` refuses those that nobody asked for."""

    def __init__(self, setting: str, values: object, *, loopback: bool = False) -> None:
        """Take the setting's name for messages, and its value; `loopback` allows plain-http URLs to this machine.

        Raises `SettingError` where the value is no object.
        """
        if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
            raise SettingError(setting, "has to be an object with names and values")
        self.setting = setting
        self.loopback = loopback
        self._values: Mapping[str, object] = values
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Say whether a setting is given."""
        return name in self._values

    def text(self, name: str, default: str | None = None, *, pattern: str = _TEXT) -> str:
        """Read a text that matches `pattern` as a whole; without a `default` it is required."""
        value = self._take(name, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            problem = "is missing or malformed" if value is None else "is malformed"
            raise SettingError(f"{self.setting}.{_shown(name)}", problem)
        return value

    def optional_text(self, name: str) -> str | None:
        """Read a text that may be absent."""
        return self.text(name) if self.has(name) else None

    def choice[T: StrEnum](self, name: str, choices: type[T], default: T) -> T:
        """Read one of an enumeration's values."""
        value = self._take(name, default)
        # An enumeration's own error quotes the value.
        chosen = next((choice for choice in choices if choice == value), None)
        if chosen is None:
            raise SettingError(f"{self.setting}.{name}", f"has to be one of: {', '.join(sorted(choices))}")
        return chosen

    def flag(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise SettingError(f"{self.setting}.{name}", "has to be true or false")
        return value

    def whole(self, name: str, *, least: int, most: int) -> int:
        """Read a whole number between `least` and `most`."""
        value = self._take(name, None)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise SettingError(f"{self.setting}.{name}", f"has to be a whole number from {least} to {most}")
        return value

    def url(self, name: str, default: str | None = None) -> str:
        """Read an endpoint's URL, as `check_url` allows it."""
        return check_url(f"{self.setting}.{name}", self.text(name, default), loopback=self.loopback)

    def base_url(self, name: str, default: str) -> str:
        """Read a URL that paths are appended to; a slash at its end is dropped."""
        return check_url(
            f"{self.setting}.{name}", self.text(name, default), loopback=self.loopback, query=False
        ).rstrip("/")

    def texts(self, name: str) -> dict[str, str]:
        """Read an object of texts; absent is empty."""
        values = self._take(name, {})
        if not isinstance(values, Mapping):
            raise SettingError(f"{self.setting}.{name}", "has to be an object with names and texts")
        section = Fields(f"{self.setting}.{name}", values)
        return {each: section.text(each) for each in values}

    def section(self, name: str) -> Fields:
        """Read an object within this one."""
        return Fields(f"{self.setting}.{name}", self._take(name, None), loopback=self.loopback)

    def finish(self) -> None:
        """Refuse what was never read: a misspelt setting must not be ignored. Raises `SettingError`."""
        unknown = sorted(set(self._values) - self._read)
        if unknown:
            raise SettingError(f"{self.setting}.{_shown(unknown[0])}", "is not a setting")

    def _take(self, name: str, default: object) -> object:
        self._read.add(name)
        return self._values.get(name, default)


def _shown(name: str) -> str:
    # A name that was written may be anything, a pasted secret too, so it is shown only where it looks like a name.
    return name if re.fullmatch(_NAME, name) else "(unreadable name)"
