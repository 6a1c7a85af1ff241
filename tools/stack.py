"""A deployed stack, as CloudFormation tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from tools.command import Failure
from tools.stages import Stage

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient


@dataclass(frozen=True, slots=True)
class Stack:
    """What CloudFormation says of a stack."""

    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    def output(self, name: str) -> str:
        """Give an output. Raises `Failure` where the stack has none of that name."""
        if not (value := self.outputs.get(name)):
            raise Failure(f"the stack has no output {name}: it is not brokerlink's, or an older one; deploy it first")
        return value


def cloudformation(stage: Stage) -> CloudFormationClient:
    """Make a client in the stage's region."""
    return boto3.client("cloudformation", region_name=stage.region)


def find(stage: Stage) -> Stack | None:
    """Describe the stage's stack; None where there is none."""
    try:
        found: Any = cloudformation(stage).describe_stacks(StackName=stage.stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response.get("Error", {}).get("Message", ""):
            return None
        raise
    if found["StackStatus"] in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
        return None
    return Stack(
        found["StackStatus"],
        {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])},
        {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
    )


def existing(stage: Stage) -> Stack:
    """Describe the stage's stack. Raises `Failure` where there is none."""
    if (stack := find(stage)) is None:
        raise Failure(f"there is no stack {stage.stack} in {stage.region}: run `{stage.command('deploy')}` first")
    return stack
