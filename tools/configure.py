"""Sets up a broker app: `make configure BROKER=pocketful`.

The public part goes into the stack's parameter BrokerApps, the secret part into the stack's secret. What is asked for
is what the broker itself says it lacks. Secrets are not shown while they are typed, and never repeated.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import boto3

from brokerlink.errors import SettingError
from brokerlink.settings import broker_apps, plain_loopback
from tools.broker_apps import App, Ask, ask_public, ask_secret, read_secrets, write_secrets
from tools.command import Failure, run
from tools.deploy import base_url, deploy
from tools.stack import Stack, existing
from tools.stages import Stage, add_stage, read_stage

# The template's own limit, which leaves room for the rest of a function's environment.
LONGEST: Final = 2048


@dataclass(frozen=True, slots=True)
class Terminal:
    """How the operator is asked: `ask` shows what is typed, `ask_hidden` does not."""

    ask: Ask = input
    ask_hidden: Ask = getpass.getpass


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code."""
    parser = argparse.ArgumentParser(prog="make configure", description="Set up a broker app.")
    parser.add_argument(
        "--broker",
        default=os.environ.get("BROKER", ""),
        help="pocketful, fivepaisa, or the id of an OAuth 2.0 broker (BROKER=)",
    )
    add_stage(parser)
    parser.add_argument(
        "--set", default=os.environ.get("SET", ""), help="optional settings: SET='{\"pkce\": false}' (JSON)"
    )
    options = parser.parse_args(arguments)
    return run("configure", lambda: configure(read_stage(options.stage), options.broker, _given(options.set)))


def configure(stage: Stage, broker_id: str, given: Mapping[str, object], terminal: Terminal | None = None) -> int:
    """Ask for what the broker app lacks, and write it where it belongs. Raises `Failure`."""
    terminal = terminal or Terminal()
    stack = existing(stage)
    secrets_manager, arn = boto3.client("secretsmanager", region_name=stage.region), stack.output("BrokerSecretArn")
    apps, secrets = _apps(stack), read_secrets(secrets_manager, arn)
    loopback = plain_loopback(base_url(stack.parameters) or None)
    broker, app = ask_public(broker_id, apps.get(broker_id), given, terminal.ask, loopback=loopback)
    text = json.dumps(apps | {broker_id: app}, separators=(",", ":"))
    if len(text) > LONGEST:
        raise Failure(f"BrokerApps would have {len(text)} characters, and {LONGEST} is the most; nothing was changed")
    current = secrets.get(broker_id, {})
    secret = ask_secret(broker, current, terminal.ask_hidden)
    if secret != current:
        write_secrets(secrets_manager, arn, secrets | {broker_id: secret})
        print("The secret is written; functions that run already read it within five minutes.")
    if apps.get(broker_id) != app:
        print("BrokerApps has changed: it is deployed now.")
        deploy(stage, {"BrokerApps": text})
    print(f"Next: `{stage.command('doctor')}` checks {broker_id}, and prints the callback URL for its console.")
    return 0


def _apps(stack: Stack) -> dict[str, App]:
    try:
        apps = broker_apps(stack.parameters.get("BrokerApps", ""))
    except SettingError as error:
        raise Failure(f"the stack's {error}: `make deploy PARAMETERS='BrokerApps={{}}'` begins anew") from None
    return {name: app for name, app in apps.items() if isinstance(app, dict)}


def _given(text: str) -> dict[str, object]:
    try:
        given = json.loads(text or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Failure("SET has to be a JSON object, such as SET='{\"pkce\": false}'")
    return given


if __name__ == "__main__":
    sys.exit(main())
