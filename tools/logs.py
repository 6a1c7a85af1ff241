"""Shows the functions' logs as they come: `make logs STAGE=trial SINCE=10min`. Ctrl-C ends it."""

from __future__ import annotations

import argparse
import os
import sys

from tools.command import Failure, run
from tools.sam import sam
from tools.stack import cloudformation, existing
from tools.stages import Stage, add_stage, read_stage


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code."""
    parser = argparse.ArgumentParser(prog="make logs", description="Show the functions' logs.")
    add_stage(parser)
    parser.add_argument(
        "--since",
        default=os.environ.get("SINCE", "10min"),
        help="from when on, such as 10min or 2026-11-23T08:30 (SINCE=)",
    )
    parser.add_argument("--follow", action="store_true", help="go on with what comes (FOLLOW=1)")
    options = parser.parse_args(arguments)

    def command() -> int:
        stage = read_stage(options.stage)
        existing(stage)
        groups = [word for group in log_groups(stage) for word in ("--cw-log-group", group)]
        following = ("--tail",) if options.follow else ()
        sam("logs", "--region", stage.region, "--start-time", options.since, *following, *groups)
        return 0

    return run("logs", command)


def log_groups(stage: Stage) -> list[str]:
    """Give the names of the stack's log groups. Raises `Failure` where it has none."""
    pages = cloudformation(stage).get_paginator("list_stack_resources").paginate(StackName=stage.stack)
    groups = [
        each.get("PhysicalResourceId", "")
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::Logs::LogGroup"
    ]
    if not groups:
        raise Failure(f"the stack {stage.stack} has no log groups")
    return groups


if __name__ == "__main__":
    sys.exit(main())
