"""Deploys a stage: `make deploy STAGE=trial PARAMETERS='ReturnTo=https://trade.example/app/'`.

A parameter that is not given keeps the value that the stack has; what samconfig.toml says for the stage goes before
that, and PARAMETERS before both.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from brokerlink.errors import SettingError
from brokerlink.settings import web_settings
from local.template import read_source
from tools import release
from tools.command import Failure, run
from tools.sam import BUILT, ROOT, sam
from tools.stack import existing, find
from tools.stages import Stage, add_stage, assignments, read_stage

# Set by this command alone: the template says what it does.
RELEASE: Final = "ReleaseHash"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code."""
    parser = argparse.ArgumentParser(prog="make deploy", description="Build and deploy a stage.")
    add_stage(parser)
    parser.add_argument(
        "--parameters",
        default=os.environ.get("PARAMETERS", ""),
        help="template parameters as Name=value words, quoted as for a shell (PARAMETERS=)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before the change is made (YES=1)")
    options = parser.parse_args(arguments)

    def command() -> int:
        stage = read_stage(options.stage)
        deploy(stage, assignments(shlex.split(options.parameters), "PARAMETERS"), ask=not options.yes)
        print(_next(stage))
        return 0

    return run("deploy", command)


def deploy(stage: Stage, changes: Mapping[str, str], *, ask: bool = True) -> None:
    """Build, and deploy with `changes` to the parameters. Raises `Failure`."""
    parameters = merged(stage, changes)
    check(parameters)
    sam("build", "--config-env", stage.name)
    parameters[RELEASE] = release.digest(BUILT, parameters)
    with tempfile.TemporaryDirectory() as folder:
        overrides = Path(folder) / "parameters.yaml"
        overrides.write_text(json.dumps({name: for_sam(value) for name, value in parameters.items()}))
        asking = () if ask else ("--no-confirm-changeset",)
        sam("deploy", "--config-env", stage.name, "--parameter-overrides", f"file://{overrides}", *asking)


def merged(stage: Stage, changes: Mapping[str, str]) -> dict[str, str]:
    """Give every parameter's value, but the release's. Raises `Failure` for one that the template does not have."""
    declared = read_source(ROOT / "template.yaml")["Parameters"]
    for name in (*stage.parameters, *changes):
        if name not in declared or name == RELEASE:
            known = ", ".join(sorted(declared.keys() - {RELEASE}))
            raise Failure(f"the template has no parameter {name} to set: {known}")
    present = find(stage)
    kept = present.parameters if present is not None else {}
    defaults = {name: str(each["Default"]) for name, each in declared.items()}
    values = defaults | {name: value for name, value in kept.items() if name in declared}
    return {name: value for name, value in (values | dict(stage.parameters) | dict(changes)).items() if name != RELEASE}


def check(parameters: Mapping[str, str]) -> None:
    """Refuse what the functions could not work with, as they would see it. Raises `Failure`, naming the setting."""
    try:
        settings = web_settings(environment_of(parameters))
    except SettingError as error:
        raise Failure(str(error)) from None
    for problem in (*settings.problems, *settings.brokers.off.values()):
        raise Failure(str(problem))


def environment_of(parameters: Mapping[str, str]) -> dict[str, str]:
    """Give the environment that the functions read their settings from."""
    return {
        "BROKERLINK_ATTEMPTS_TABLE": "of the stack",
        "BROKERLINK_BASE_URL": base_url(parameters),
        "BROKERLINK_BROKER_APPS": parameters.get("BrokerApps", ""),
        "BROKERLINK_RETURN_TO": parameters.get("ReturnTo", ""),
        "BROKERLINK_DIRECT_LOGIN_ACCOUNTS": parameters.get("DirectLoginAccounts", ""),
        "BROKERLINK_ATTEMPT_SECONDS": parameters.get("AttemptSeconds", ""),
    }


def base_url(parameters: Mapping[str, str]) -> str:
    """Give the public base URL that the template makes of the parameters; empty is the API's own address."""
    domain = parameters.get("DomainName")
    return parameters.get("PublicBaseUrl") or (f"https://{domain}" if domain else "")


def for_sam(value: str) -> str:
    """Give a value, JSON or without backslashes, whose meaning survives the SAM CLI: it takes some backslashes away."""
    return value.replace("\\\\", "\\u005c").replace('\\"', "\\u0022")


def _next(stage: Stage) -> str:
    stack = existing(stage)
    apps = json.loads(stack.parameters.get("BrokerApps") or "{}")
    if not apps:
        return f"Next: `{stage.command('configure', BROKER='pocketful')}` (or fivepaisa) sets a broker app up."
    return f"Next: `{stage.command('doctor')}` checks {', '.join(sorted(apps))}."


if __name__ == "__main__":
    sys.exit(main())
