"""`make doctor STAGE=...`: runs every check, and prints each broker's callback URL."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import boto3

from brokerlink.errors import SettingError
from brokerlink.settings import WebSettings, web_settings
from tools.command import run
from tools.deploy import environment_of
from tools.doctor import aws, network, settings
from tools.doctor.findings import Finding, State, fail
from tools.stack import Stack, existing
from tools.stages import Stage, add_stage, read_stage


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code: 1 where something keeps customers from logging in."""
    parser = argparse.ArgumentParser(prog="make doctor", description="Check a stage.")
    add_stage(parser)
    options = parser.parse_args(arguments)
    return run("doctor", lambda: doctor(read_stage(options.stage)))


def doctor(stage: Stage) -> int:
    """Check everything, and print a line for each. Raises `Failure`."""
    stack = existing(stage)
    failed = 0
    for finding in _findings(stage, stack):
        print(finding, flush=True)
        failed += finding.state is State.FAIL
    if failed:
        print(f"\n{failed} of these keep customers from logging in.")
        return 1
    print(f"\nReady: a login starts at {stack.output('StartUrl')}; `{stage.command('logs')}` shows what happens.")
    return 0


def _findings(stage: Stage, stack: Stack) -> Iterator[Finding]:
    yield from aws.identity(stage)
    yield from aws.stack_status(stage, stack)
    yield from aws.concurrency(stage)
    yield from aws.dead_letters(stage, stack.output("AnnounceDeadLettersUrl"))
    try:
        read = web_settings(environment_of(stack.parameters))
    except SettingError as problem:
        yield fail(str(problem), f"`{stage.command('deploy', PARAMETERS=f'{problem.setting}=...')}`")
        return
    yield from settings.parameters(stage, read, stack.parameters)
    secrets_manager = boto3.client("secretsmanager", region_name=stage.region)
    yield from settings.secrets(stage, secrets_manager, stack.output("BrokerSecretArn"), read.brokers.on)
    yield from network.reach("our own page", stack.output("StartUrl"))
    for broker in read.brokers.on.values():
        for origin in network.origins(broker):
            yield from network.reach(broker.name, f"{origin}/")
    yield from _callbacks(stack, read)


def _callbacks(stack: Stack, read: WebSettings) -> Iterator[Finding]:
    for broker in read.brokers.on.values():
        url = stack.output("CallbackUrl").replace("{broker}", broker.id)
        yield Finding(State.NOTE, f"the callback URL at {broker.name}'s console has to be exactly", url)


if __name__ == "__main__":
    sys.exit(main())
