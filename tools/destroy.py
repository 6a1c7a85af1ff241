"""Removes a stage's stack: `make destroy STAGE=trial`. It says what goes, asks, and lifts the deletion protection."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable

import boto3
from botocore.exceptions import ClientError, WaiterError

from tools.command import Failure, run
from tools.stack import cloudformation, existing
from tools.stages import Stage, add_stage, read_stage

type Ask = Callable[[str], str]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; give its exit code."""
    parser = argparse.ArgumentParser(prog="make destroy", description="Remove a stage's stack.")
    add_stage(parser)
    options = parser.parse_args(arguments)
    return run("destroy", lambda: destroy(read_stage(options.stage), input))


def destroy(stage: Stage, ask: Ask) -> int:
    """Remove the stack, once its name has been typed. Raises `Failure`."""
    existing(stage)
    _refuse_while_imported(stage)
    resources = _resources(stage)
    tables = [physical for kind, physical in resources if kind == "AWS::DynamoDB::Table"]
    print(_what_goes(stage, resources, tables))
    if ask(f"Type {stage.stack} to remove it: ").strip() != stage.stack:
        print("Nothing was removed.")
        return 1
    dynamodb = boto3.client("dynamodb", region_name=stage.region)
    for table in tables:
        if dynamodb.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            print(f"deletion protection of {table} is lifted")
    client = cloudformation(stage)
    client.delete_stack(StackName=stage.stack)
    print("removing the stack; this takes some minutes ...")
    try:
        client.get_waiter("stack_delete_complete").wait(StackName=stage.stack)
    except WaiterError:
        raise Failure(
            f"the stack {stage.stack} could not be removed whole: its events in CloudFormation say which resource is "
            f"in the way; then `{stage.command('destroy')}` again"
        ) from None
    print(f"The stack {stage.stack} is gone. Revoke the callback URLs at the brokers' consoles.")
    return 0


def _resources(stage: Stage) -> list[tuple[str, str]]:
    pages = cloudformation(stage).get_paginator("list_stack_resources").paginate(StackName=stage.stack)
    return [
        (each["ResourceType"], each.get("PhysicalResourceId", ""))
        for page in pages
        for each in page["StackResourceSummaries"]
    ]


def _what_goes(stage: Stage, resources: list[tuple[str, str]], tables: list[str]) -> str:
    dynamodb = boto3.client("dynamodb", region_name=stage.region)
    rows = {table: dynamodb.describe_table(TableName=table)["Table"].get("ItemCount", 0) for table in tables}
    kinds = Counter(kind for kind, _ in resources)
    return "\n".join(
        [
            f"This removes the stack {stage.stack} in {stage.region}, with {len(resources)} resources. Among them:",
            *(f"  the table {table} (about {count} rows)" for table, count in rows.items()),
            "    every customer has to log in again, and live tokens are lost to the programs that use them",
            f"  {kinds['AWS::SecretsManager::Secret']} secret with the broker apps' secrets",
            f"  {kinds['AWS::KMS::Key']} keys (deleted after 7 days)",
            f"  {kinds['AWS::SNS::Topic']} topic with its subscriptions, and {kinds['AWS::SQS::Queue']} queue",
            f"  {kinds['AWS::Logs::LogGroup']} log groups, {kinds['AWS::CloudWatch::Alarm']} alarms",
            "What stays: the library's layer, whose versions consumers may have attached, and SAM's own bucket.",
        ]
    )


def _refuse_while_imported(stage: Stage) -> None:
    client = cloudformation(stage)
    exports = [
        export["Name"]
        for page in client.get_paginator("list_exports").paginate()
        for export in page["Exports"]
        if export["Name"].startswith(f"{stage.stack}-")
    ]
    importers: set[str] = set()
    for export in exports:
        try:
            importers |= set(client.list_imports(ExportName=export)["Imports"])
        except ClientError as error:
            # CloudFormation has no other way to say that nobody imports it.
            if "not imported" not in error.response.get("Error", {}).get("Message", ""):
                raise
    if importers:
        raise Failure(f"these stacks use it, remove them first: {', '.join(sorted(importers))}")


if __name__ == "__main__":
    sys.exit(main())
