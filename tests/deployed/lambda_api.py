"""The deployed functions, invoked as API Gateway does it: through Lambda's API, by the alias that a route names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from local.aws import Clients
from local.functions import routes_of
from local.routing import Route
from local.runtime import FunctionError
from local.template import Template

if TYPE_CHECKING:
    from types_boto3_lambda.client import LambdaClient

STACK = "brokerlink"


def physical_name(clients: Clients, logical_id: str) -> str:
    """Give the name that a resource of the deployed stack has got."""
    found = clients.cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
    return found["StackResourceDetail"]["PhysicalResourceId"]


@dataclass
class DeployedFunction:
    """Stands where the front expects a function; `alias` is a logical id of the template, or empty."""

    clients: Clients
    client: LambdaClient
    logical_id: str
    alias: str

    @cached_property
    def _address(self) -> str:
        """The physical name, known once the stack is there, and the alias."""
        named = physical_name(self.clients, self.logical_id)
        return f"{named}:{self.alias}" if self.alias else named

    def invoke(self, event: Mapping[str, object], *, patience: float) -> object:
        """Run one event. Raises `FunctionError` where the function raised."""
        del patience
        answer = self.client.invoke(FunctionName=self._address, Payload=json.dumps(event).encode())
        body = json.load(answer["Payload"])
        if answer.get("FunctionError"):
            raise FunctionError(str(body.get("errorType")), "the deployed function failed")
        return body


def routes(template: Template) -> tuple[Route, ...]:
    """Give the routes of the template, each to the logical id of the function or alias that it names."""
    (api,) = template.of_type("AWS::ApiGatewayV2::Api").values()

    def named(value: Any) -> Any:
        match value:
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{(\w+)(\.Arn)?\}", r"\1", text).replace("functions/", "functions/:function:")
            case dict():
                return {name: named(each) for name, each in value.items()}
            case _:
                return value

    return routes_of(named(api["Properties"]["Body"]["paths"]))


def functions(template: Template, clients: Clients, client: LambdaClient) -> dict[str, DeployedFunction]:
    """Give the functions behind the routes, by what the routes call them."""
    aliases = {
        name: (str(item["Properties"]["FunctionName"]["Ref"]), str(item["Properties"]["Name"]))
        for name, item in template.of_type("AWS::Lambda::Alias").items()
    }
    found = {route.function for route in routes(template)}
    return {name: DeployedFunction(clients, client, *aliases.get(name, (name, ""))) for name in found}
