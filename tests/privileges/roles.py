"""What both templates say of each function's role, and of what it uses."""

from __future__ import annotations

from collections.abc import Mapping

from tests.privileges.evaluation import Policies
from tests.privileges.resources import Resources
from tests.template.iam import Grant, grants, role_grants
from tests.template.stack import FUNCTIONS, Stack, named

CONSUMER = "ConsumerFunction"
CALLERS = frozenset({*FUNCTIONS, CONSUMER})
# All that a stack can be asked to tell: whoever tells it asks AWS for more.
EVERYTHING_TOLD = {"FailedEvents": "true", "ExpiringEvents": "true", "Reminders": "true"}


def policies(main: Stack, consumer: Stack, resources: Resources) -> Mapping[str, Policies]:
    """Give what is said of each caller."""
    on = _resource_policies(main, resources)
    found = {}
    for function in FUNCTIONS:
        role = named(main.properties(function)["Role"]).removesuffix(".Arn")
        found[function] = Policies(role, tuple(role_grants(main, role)), on, resources)
    return {**found, CONSUMER: Policies("ConsumerRole", _of_consumer(main, consumer), on, resources)}


def _of_consumer(main: Stack, consumer: Stack) -> tuple[Grant, ...]:
    role = consumer.properties("ConsumerRole")
    imported = [named(policy) for policy in role["ManagedPolicyArns"]]
    assert len(imported) == 1
    assert "-ConsumerPolicyArn" in imported[0]
    own = [grant for policy in role["Policies"] for grant in grants(policy["PolicyDocument"])]
    return (*own, *grants(main.properties("ConsumerPolicy")["PolicyDocument"]))


def _resource_policies(main: Stack, resources: Resources) -> dict[str, tuple[Grant, ...]]:
    said = {f"{key}.Arn": each["KeyPolicy"] for key, each in main.of_type("AWS::KMS::Key").items()}
    said |= {
        named(topic): each["PolicyDocument"]
        for each in main.of_type("AWS::SNS::TopicPolicy").values()
        for topic in each["Topics"]
    }
    said |= {
        f"{named(queue)}.Arn": each["PolicyDocument"]
        for each in main.of_type("AWS::SQS::QueuePolicy").values()
        for queue in each["Queues"]
    }
    return {resources.meant(name): tuple(grants(document)) for name, document in said.items()}
