"""The functions' environment, read once at init. What is wrong is named, never shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from brokerlink.brokers import Brokers
from brokerlink.environment import required
from brokerlink.errors import SettingError
from brokerlink.fields import check_url, is_loopback

DEFAULT_ATTEMPT_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """What the functions behind the HTTP API need.

    `base_url` is the public one, without a slash at its end; None: it is taken from the request's own context.
    `direct_accounts` are the accounts that may log in without a session; None is any. `problems` are the settings that
    are wrong and were left out, so that the rest can work.
    """

    attempts_table: str
    base_url: str | None
    canonical_host: bool
    brokers: Brokers
    problems: tuple[SettingError, ...]
    return_to: tuple[str, ...]
    direct_accounts: frozenset[str] | None
    attempt_seconds: int

    @property
    def direct_logins(self) -> bool:
        """Whether any account may log in without a session."""
        return self.direct_accounts is None or bool(self.direct_accounts)


def web_settings(environment: Mapping[str, str]) -> WebSettings:
    """Read the settings. Raises `SettingError` for those that nothing can work without."""
    base_url = environment.get("BROKERLINK_BASE_URL") or None
    if base_url is not None:
        base_url = check_url("PublicBaseUrl", base_url.rstrip("/"), loopback=True, query=False)
    loopback = plain_loopback(base_url)
    problems: list[SettingError] = []
    none: Mapping[str, object] = {}
    apps = _else(none, problems, lambda: broker_apps(environment.get("BROKERLINK_BROKER_APPS", "")))
    return WebSettings(
        attempts_table=required(environment, "BROKERLINK_ATTEMPTS_TABLE"),
        base_url=base_url,
        canonical_host=environment.get("BROKERLINK_CANONICAL_HOST", "true") != "false",
        brokers=Brokers(apps, loopback=loopback),
        return_to=_else(
            (),
            problems,
            lambda: return_to_prefixes(environment.get("BROKERLINK_RETURN_TO", ""), loopback=loopback),
        ),
        direct_accounts=direct_accounts(environment.get("BROKERLINK_DIRECT_LOGIN_ACCOUNTS", "")),
        attempt_seconds=_else(
            DEFAULT_ATTEMPT_SECONDS,
            problems,
            lambda: attempt_seconds(environment.get("BROKERLINK_ATTEMPT_SECONDS", "")),
        ),
        problems=tuple(problems),
    )


def _else[T](default: T, problems: list[SettingError], read: Callable[[], T]) -> T:
    try:
        return read()
    except SettingError as error:
        problems.append(error)
        return default


def plain_loopback(base_url: str | None) -> bool:
    """Say whether the public base URL is plain http on this machine, where cookies and endpoints may be plain too."""
    if base_url is None:
        return False
    parts = urlsplit(base_url)
    return parts.scheme == "http" and is_loopback(parts.hostname)


def broker_apps(text: str) -> Mapping[str, object]:
    """Read `BrokerApps`, a JSON object with an entry for each broker. Raises `SettingError`."""
    # What is raised here carries the text, and must not hang on ours as its context.
    with suppress(ValueError, RecursionError):
        apps = json.loads(text or "{}", object_pairs_hook=_without_repetition)
        if isinstance(apps, dict):
            return apps
        raise SettingError("BrokerApps", "has to be a JSON object with an entry for each broker")
    raise SettingError("BrokerApps", "is not JSON, or names something twice")


def attempt_seconds(text: str) -> int:
    """Read `AttemptSeconds`: 60 to 3,600, by default 600. Raises `SettingError`."""
    if not text:
        return DEFAULT_ATTEMPT_SECONDS
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 60 <= int(text) <= 3600):
        raise SettingError("AttemptSeconds", "has to be a whole number from 60 to 3600")
    return int(text)


def return_to_prefixes(text: str, *, loopback: bool) -> tuple[str, ...]:
    """Read `ReturnTo`: URLs, comma-separated, below which a login may end. Raises `SettingError`."""
    prefixes = [each.strip() for each in text.split(",") if each.strip()]
    return tuple(check_url("ReturnTo", prefix, loopback=loopback, query=False) for prefix in prefixes)


def direct_accounts(text: str) -> frozenset[str] | None:
    """Read `DirectLoginAccounts`: accounts, comma-separated; `*` is any (None), empty is none."""
    accounts = frozenset(each.strip() for each in text.split(",") if each.strip())
    return None if "*" in accounts else accounts


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)
