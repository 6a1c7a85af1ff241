"""brokers.local.toml: broker apps of one's own, which the local stack uses with the real brokers."""

import importlib
import json
import pkgutil
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import brokerlink.brokers
from brokerlink.brokers import make_broker
from brokerlink.errors import SettingError
from local.errors import ConfigurationError

FILE = "brokers.local.toml"

_LINE = re.compile(r"\(at line (\d+),")


@dataclass(frozen=True)
class BrokerApps:
    """The public and the secret settings of some broker apps, by broker; the secret ones are never shown."""

    public: Mapping[str, Mapping[str, object]]
    secret: Mapping[str, Mapping[str, str]] = field(repr=False)

    def __or__(self, other: "BrokerApps") -> "BrokerApps":
        """Both, with the other's where both have one."""
        return BrokerApps({**self.public, **other.public}, {**self.secret, **other.secret})

    def public_json(self) -> str:
        """The template's parameter BrokerApps."""
        return json.dumps(self.public, separators=(",", ":"))

    def secret_json(self) -> str:
        """The value of the stack's secret."""
        return json.dumps(self.secret)


def read_own_apps(path: Path) -> BrokerApps:
    """Read one table per broker, public and secret settings side by side; none where there is no file.

    Raises ConfigurationError, naming the file and the line or the setting, never a value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return BrokerApps({}, {})
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path.name} is not UTF-8 text.") from None
    except OSError as problem:
        raise ConfigurationError(f"{path.name} cannot be read: {problem.strerror}.") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        # Not the parser's own words: they may quote the text, which holds secrets.
        line = _LINE.search(str(problem))
        where = f", line {line[1]}" if line else ", at its end"
        raise ConfigurationError(f"{path.name}{where}: this is not TOML.") from None
    try:
        apps = {broker: _split(broker, table) for broker, table in tables.items()}
    except SettingError as problem:
        raise ConfigurationError(f"{path.name}: {str(problem).removeprefix('BrokerApps.')}.") from None
    return BrokerApps(
        {broker: public for broker, (public, _) in apps.items()},
        {broker: secret for broker, (_, secret) in apps.items()},
    )


def _split(broker: str, table: object) -> tuple[dict[str, object], dict[str, str]]:
    """Part one broker's settings. Raises SettingError for one that is missing, malformed or unknown."""
    values = table if isinstance(table, dict) else {}
    secret_names = _secret_names()
    public = {name: value for name, value in values.items() if name not in secret_names}
    # Endpoints of one's own may be on this machine, as the local stack itself is.
    needed = make_broker(broker, public if values else table, loopback=True).secret_names
    secret: dict[str, str] = {}
    for name in sorted(needed | (values.keys() & secret_names)):
        value = values.get(name)
        if name not in needed:
            raise SettingError(f"{broker}.{name}", "is not a setting")
        if not isinstance(value, str) or not value:
            raise SettingError(f"{broker}.{name}", "is missing" if value is None else "is malformed")
        secret[name] = value
    return public, secret


def _secret_names() -> frozenset[str]:
    """The secret settings of all brokers that the library ships."""
    modules = (
        importlib.import_module(f"{brokerlink.brokers.__name__}.{module.name}")
        for module in pkgutil.iter_modules(brokerlink.brokers.__path__)
    )
    shipped = (getattr(module, "BROKER", None) for module in modules)
    return frozenset(name for broker in shipped if broker is not None for name in broker.secret_names)
