"""A function's environment, for what nothing can work without."""

from __future__ import annotations

from collections.abc import Mapping

from brokerlink.errors import SettingError


def required(environment: Mapping[str, str], name: str) -> str:
    """Give a variable that has to be set. Raises `SettingError`."""
    value = environment.get(name, "")
    if not value:
        raise SettingError(name, "is missing from the function's environment")
    return value
