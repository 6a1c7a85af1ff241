"""The two parts of a broker app, asked for at a terminal: its entry in BrokerApps, and its entry in the secret."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from brokerlink.brokers import make_broker
from brokerlink.brokers.base import Broker
from brokerlink.errors import SettingError
from tools.command import Failure

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient

_TRIES: Final = 3

# One broker's entry in BrokerApps, and all of the stack's secret, by broker.
type App = dict[str, Any]
type Secrets = dict[str, dict[str, str]]
# Shows its text, and gives what was typed.
type Ask = Callable[[str], str]


def ask_public(
    broker_id: str, current: App | None, given: Mapping[str, object], ask: Ask, *, loopback: bool
) -> tuple[Broker, App]:
    """Ask for each setting that the broker says it lacks; give the broker, and its entry in BrokerApps.

    `given` goes before the `current` entry, whose texts are kept by pressing Enter. Raises `Failure`.
    """
    app = copy.deepcopy(current or {}) | dict(given)
    for name in [name for name, value in app.items() if isinstance(value, str) and name not in {*given, "protocol"}]:
        app[name] = ask(f"{broker_id} {name} [{app[name]}]: ").strip() or app[name]
    asked: list[str] = []
    while True:
        try:
            return make_broker(broker_id, app, loopback=loopback), app
        except SettingError as error:
            path = error.setting.removeprefix("BrokerApps").strip(".").split(".")[1:]
            if not path and "protocol" not in app and broker_id in error.setting:
                print(f"brokerlink ships no broker {broker_id}: set up as an OAuth 2.0 one (docs/adding-a-broker.md).")
                app |= {"protocol": "oauth2", "account": app.get("account", {})}
                continue
            _mend(app, path, error, asked)
            app_part, name = _parent(app, path), path[-1]
            app_part[name] = ask(f"{broker_id} {'.'.join(path)}: ").strip()


def _mend(app: App, path: list[str], error: SettingError, asked: list[str]) -> None:
    """See whether asking for a setting helps, and say what was wrong with what was typed. Raises `Failure`."""
    setting = ".".join(path)
    if asked.count(setting) >= _TRIES or (setting not in asked and (not path or path[-1] in _parent(app, path))):
        raise Failure(str(error))
    if setting in asked:
        print(f"  {error}")
    asked.append(setting)


def _parent(app: App, path: list[str]) -> App:
    for name in path[:-1]:
        app = app.setdefault(name, {})
    return app


def ask_secret(broker: Broker, current: Mapping[str, str], ask: Ask) -> dict[str, str]:
    """Ask for each of the broker's secrets; Enter keeps a current one. Raises `Failure` after three unusable ones."""
    return {name: _ask_secret(broker, name, current.get(name), ask) for name in sorted(broker.secret_names)}


def _ask_secret(broker: Broker, name: str, current: str | None, ask: Ask) -> str:
    kept = " [Enter keeps the present one]" if current else ""
    for _ in range(_TRIES):
        value = ask(f"{broker.id} {name}, not shown{kept}: ") or current or ""
        if value == value.strip() and value and value.isprintable():
            return value
        print("  a secret is one line of visible characters, without spaces around it")
    raise Failure(f"{broker.id}.{name} was not given; nothing was changed")


def read_secrets(client: SecretsManagerClient, arn: str) -> Secrets:
    """Read the stack's secret. Raises `Failure` where it is not what brokerlink reads; its text is never shown."""
    text = client.get_secret_value(SecretId=arn).get("SecretString", "")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not all(isinstance(entry, dict) for entry in document.values()):
        raise Failure("the stack's secret is no JSON object of brokers: write {} into it in Secrets Manager first")
    return document


def write_secrets(client: SecretsManagerClient, arn: str, secrets: Secrets) -> None:
    """Write the stack's secret."""
    client.put_secret_value(SecretId=arn, SecretString=json.dumps(secrets))
