"""Creates a template's resources in the emulator and reads back what the local stack has to run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.exceptions import ClientError

from local.completion import complete
from local.emulator import Emulator
from local.errors import TemplateError
from local.execution import Function
from local.functions import EventSource, function_of, routes_of
from local.references import References, StandIn, stand_ins
from local.routing import Route
from local.template import Json, Template

# What the emulator's CloudFormation creates; what it leaves out of them is added by `complete`.
_CREATED = (
    "AWS::DynamoDB::Table",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)
_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a resource type
# What is read back with its references resolved, through an output each.
_READ_BACK = (
    "AWS::ApiGatewayV2::Api",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)
_READ_BACK_PREFIX = "Resolved"


@dataclass(frozen=True)
class Deployment:
    """A template's resources in the emulator, and what the local stack runs beside it."""

    name: str
    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    sources: tuple[EventSource, ...]
    layers: Mapping[str, Path]
    outputs: Mapping[str, str]
    physical_ids: Mapping[str, str]


def deploy(
    template: Template,
    emulator: Emulator,
    *,
    name: str,
    parameters: Mapping[str, str],
    secrets: Mapping[str, str] | None = None,
    layers: Mapping[str, Path] | None = None,
) -> Deployment:
    """Create the template's resources as the CloudFormation stack `name`.

    `secrets` gives each AWS::SecretsManager::Secret's value by logical id; `layers` the folders of layers
    that other stacks export, by ARN. Raises TemplateError for a template that cannot be built from.
    """
    known = stand_ins(template.resources, emulator.account)
    known.update(_create_secrets(template, emulator, name, secrets or {}))
    own_layers = {
        known[layer].arn: template.folder_of(resource["Properties"]["Content"])
        for layer, resource in template.of_type("AWS::Lambda::LayerVersion").items()
    }
    _create_stack(emulator, name, _reduced(template, known), parameters, template.path.name)
    outputs, resolved = _read_outputs(emulator, name)
    physical_ids = _physical_ids(emulator, name)
    complete(emulator.clients, template, resolved, physical_ids)
    return Deployment(
        name=name,
        functions=_functions(template, resolved, {**(layers or {}), **own_layers}, emulator),
        routes=_routes(template, resolved),
        sources=tuple(
            EventSource.of(source, resolved[source])
            for source in template.of_type("AWS::Lambda::EventSourceMapping")
            if source in resolved
        ),
        layers=own_layers,
        outputs=outputs,
        physical_ids=physical_ids,
    )


def _create_secrets(
    template: Template, emulator: Emulator, stack: str, values: Mapping[str, str]
) -> dict[str, StandIn]:
    declared = template.of_type(_SECRET)
    if absent := sorted(values.keys() - declared.keys()):
        raise TemplateError(f"{template.path.name} has no secret {absent[0]} ({_SECRET}).")
    made: dict[str, StandIn] = {}
    for secret in declared:
        if secret not in values:
            raise TemplateError(f"The local stack has no value for the secret {secret}.")
        arn = emulator.clients.secrets.create_secret(Name=f"{stack}-{secret}", SecretString=values[secret])["ARN"]
        made[secret] = StandIn(arn, arn)
    return made


def _reduced(template: Template, known: Mapping[str, StandIn]) -> Json:
    """The template without what the emulator cannot create, and with what is read back as outputs."""
    created = template.of_type(*_CREATED)
    absent = {name: item for name, item in template.resources.items() if name not in created}
    references = References(absent, known)
    outputs: dict[str, Json] = {}
    for name, output in template.outputs.items():
        # An output may speak of what only a real deployment has, such as the API's own domain.
        outputs[name] = replace(references, lenient=True).replaced(output, f"The output {name}")
    for name, resource in template.of_type(*_READ_BACK).items():
        properties = references.replaced(_relevant(resource), name)
        output = {"Value": {"Fn::ToJsonString": properties}}
        if "Condition" in resource:
            output["Condition"] = resource["Condition"]
        outputs[_READ_BACK_PREFIX + name] = output
    return {
        "Transform": "AWS::LanguageExtensions",  # has Fn::ToJsonString
        **{section: template.body[section] for section in ("Mappings", "Conditions") if section in template.body},
        "Parameters": {name: _unbounded(declared) for name, declared in template.body.get("Parameters", {}).items()},
        "Resources": {
            name: references.replaced(_as_the_emulator_reads_it(item), name) for name, item in created.items()
        },
        "Outputs": outputs,
    }


def _unbounded(parameter: Json) -> Json:
    """A parameter that takes any value: the template asks for https, and the local stack's own URLs are plain http.

    What names an entry of Parameter Store is given the entry's value.
    """
    kept = {key: value for key, value in parameter.items() if key not in {"AllowedPattern", "ConstraintDescription"}}
    return {**kept, "Type": "String"} if kept["Type"].startswith("AWS::SSM::Parameter::Value<") else kept


def _as_the_emulator_reads_it(resource: Json) -> Json:
    """moto's CloudFormation looks for a table's encryption under the name that DynamoDB's API has for it."""
    properties: Json = resource.get("Properties", {})
    if resource["Type"] != "AWS::DynamoDB::Table" or "SSESpecification" not in properties:
        return resource
    encryption: Json = dict(properties["SSESpecification"])
    encryption["Enabled"] = encryption.pop("SSEEnabled", False)
    return {**resource, "Properties": {**properties, "SSESpecification": encryption}}


def _relevant(resource: Json) -> Json:
    """The properties that are read back: of a function and of an API not those that need a deployment."""
    properties: Json = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::ApiGatewayV2::Api":
            return {"paths": properties.get("Body", {}).get("paths", {})}
        case "AWS::Lambda::Function":
            wanted = ("Environment", "Handler", "Layers", "MemorySize", "Timeout")
            return {key: properties[key] for key in wanted if key in properties}
    return properties


def _create_stack(emulator: Emulator, name: str, body: Json, parameters: Mapping[str, str], file: str) -> None:
    try:
        emulator.clients.cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps(body),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
    except ClientError as problem:
        reason = problem.response["Error"].get("Message", "no reason given")
        raise TemplateError(f"{file}: the emulator cannot create the stack: {reason}") from None


def _read_outputs(emulator: Emulator, name: str) -> tuple[dict[str, str], dict[str, Json]]:
    stack = emulator.clients.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    resolved = {
        key.removeprefix(_READ_BACK_PREFIX): json.loads(value)
        for key, value in outputs.items()
        if key.startswith(_READ_BACK_PREFIX)
    }
    return {key: value for key, value in outputs.items() if not key.startswith(_READ_BACK_PREFIX)}, resolved


def _physical_ids(emulator: Emulator, name: str) -> dict[str, str]:
    described = emulator.clients.cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return {item["LogicalResourceId"]: item.get("PhysicalResourceId", "") for item in described}


def _functions(
    template: Template, resolved: Mapping[str, Json], layers: Mapping[str, Path], emulator: Emulator
) -> dict[str, Function]:
    return {
        name: function_of(name, template.folder_of(item["Properties"]["Code"]), resolved[name], layers, emulator)
        for name, item in template.of_type("AWS::Lambda::Function").items()
        if name in resolved
    }


def _routes(template: Template, resolved: Mapping[str, Json]) -> tuple[Route, ...]:
    apis = [name for name in template.of_type("AWS::ApiGatewayV2::Api") if name in resolved]
    return tuple(route for api in apis for route in routes_of(resolved[api]["paths"]))
