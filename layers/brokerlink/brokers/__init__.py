"""The brokers: one file each, found by its name. `base` is what they share, `oauth2` the class of OAuth 2.0 brokers."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from brokerlink.brokers.base import Broker
from brokerlink.connections import is_broker
from brokerlink.errors import SettingError
from brokerlink.fields import Fields

_GENERIC: Final = "oauth2"


def make_broker(broker_id: str, app: object, *, loopback: bool = False) -> Broker:
    """Make a broker from its entry in `BrokerApps`. `loopback` allows plain-http endpoints on this machine.

    The id names the broker's file; an entry with `"protocol": "oauth2"` needs none.
    Raises `SettingError` naming the setting that is wrong, never its value.
    """
    if not is_broker(broker_id):
        raise SettingError("BrokerApps", "holds a broker id that is not made of a-z, 0-9 and _")
    fields = Fields(f"BrokerApps.{broker_id}", app, loopback=loopback)
    if fields.has("protocol"):
        fields.text("protocol", pattern=_GENERIC)
        module_name = _GENERIC
    else:
        module_name = broker_id
    module = f"{__name__}.{module_name}"
    made = getattr(importlib.import_module(module), "BROKER", None) if importlib.util.find_spec(module) else None
    if made is None:
        raise SettingError(
            f"BrokerApps.{broker_id}",
            'is not a broker that brokerlink ships; an OAuth 2.0 one needs "protocol": "oauth2"',
        )
    broker: Broker = made(broker_id, fields)
    fields.finish()
    return broker


class Brokers:
    """The configured brokers. One whose settings are wrong is off, alone, and `off` says what is wrong with it."""

    def __init__(self, apps: Mapping[str, object], *, loopback: bool = False) -> None:
        """Make every broker of `BrokerApps`; nothing is raised for one that cannot be made."""
        on: dict[str, Broker] = {}
        off: dict[str, SettingError] = {}
        for broker_id, app in apps.items():
            try:
                on[broker_id] = make_broker(broker_id, app, loopback=loopback)
            except SettingError as error:
                # A key that is no id may be anything, a pasted secret too, and what is off is told in the log.
                off[broker_id if is_broker(broker_id) else "(unreadable name)"] = error
        self.on: Mapping[str, Broker] = MappingProxyType(on)
        self.off: Mapping[str, SettingError] = MappingProxyType(off)
