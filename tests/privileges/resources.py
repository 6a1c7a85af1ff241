"""The ARNs behind the names in the templates' policies, and behind what a call names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.aws import REGION
from local.deployment import Deployment
from local.stack import Stack
from tests.template.stack import Stack as Template

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True)
class Resources:
    """`by_name` has the ARN of each `Table.Arn`, `Topic`, …; `by_use` the ARN of each name that a call can carry."""

    by_name: Mapping[str, str]
    by_use: Mapping[str, str]

    def meant(self, named: str) -> str:
        """Give what a policy means, where it names a resource or a parameter of the stack."""
        return _VARIABLE.sub(lambda found: self.by_name[found[1]], self.by_name.get(named, named))

    def used(self, resource: str) -> str:
        """Give the ARN of what a call named."""
        table, slash, index = resource.partition("/index/")
        return self.by_use.get(table, table) + slash + index


def resources_of(stack: Stack, main: Template, consumer: Template) -> Resources:
    """Ask the emulator what it made of both templates."""
    by_name = {"AWS::Region": REGION, "AWS::AccountId": stack.emulator.account, "AWS::Partition": "aws"}
    by_use: dict[str, str] = {}
    for template, deployment in ((main, stack.deployment), (consumer, stack.consumer)):
        for name, attribute, arn in _arns(stack, template, deployment):
            by_name[f"{name}{attribute}"] = arn
        for name, physical in deployment.physical_ids.items():
            by_use[physical] = by_name.get(f"{name}.Arn", physical)
    by_name["BrokerSecret"] = stack.deployment.outputs["BrokerSecretArn"]
    for output, value in stack.deployment.outputs.items():
        imported = {"Fn::ImportValue": {"Fn::Sub": f"${{BrokerlinkStack}}-{output}"}}
        by_name[json.dumps(imported, sort_keys=True)] = value
    return Resources(by_name, by_use)


def _arns(stack: Stack, template: Template, deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    clients, account = stack.clients, stack.emulator.account
    for name, resource in template.body["Resources"].items():
        physical = deployment.physical_ids.get(name, "")
        match resource["Type"]:
            case "AWS::DynamoDB::Table":
                table = clients.dynamodb.describe_table(TableName=physical)["Table"]
                yield name, ".Arn", table["TableArn"]
                if "LatestStreamArn" in table:
                    yield name, ".StreamArn", table["LatestStreamArn"]
            case "AWS::SQS::Queue":
                attributes = clients.sqs.get_queue_attributes(QueueUrl=physical, AttributeNames=["QueueArn"])
                yield name, ".Arn", attributes["Attributes"]["QueueArn"]
            case "AWS::KMS::Key":
                yield name, ".Arn", f"arn:aws:kms:{REGION}:{account}:key/{physical}"
            case "AWS::SNS::Topic":
                yield name, "", physical
            case "AWS::Logs::LogGroup":
                yield name, ".Arn", f"arn:aws:logs:{REGION}:{account}:log-group:{physical}:*"
            case "AWS::IAM::Role":
                yield name, ".Arn", f"arn:aws:iam::{account}:role/{name}"
