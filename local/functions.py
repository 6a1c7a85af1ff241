"""What a deployed template says about its functions, routes and event sources, as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws import worker_environment
from local.emulator import Emulator
from local.errors import TemplateError
from local.execution import Function
from local.patterns import Pattern
from local.routing import Route
from local.template import Json


@dataclass(frozen=True)
class EventSource:
    """One event source mapping: a table's stream or a queue that invokes a function."""

    name: str
    function: str
    arn: str
    batch_size: int
    filters: tuple[Pattern, ...]
    reports_failures: bool
    bisects: bool

    @classmethod
    def of(cls, name: str, properties: Json) -> "EventSource":
        """Read a mapping's resolved properties. Raises TemplateError for a filter that is not understood."""
        patterns = properties.get("FilterCriteria", {}).get("Filters", [])
        arn: str = properties["EventSourceArn"]
        return cls(
            name=name,
            function=_function_name(properties["FunctionName"]),
            arn=arn,
            # The defaults of each kind of source:
            # https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
            batch_size=int(properties.get("BatchSize", 10 if ":sqs:" in arn else 100)),
            filters=tuple(Pattern.parse(entry["Pattern"], name) for entry in patterns),
            reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            bisects=bool(properties.get("BisectBatchOnFunctionError", False)),
        )

    @property
    def is_stream(self) -> bool:
        return ":dynamodb:" in self.arn

    @property
    def resource(self) -> str:
        """The name of the table or queue."""
        return self.arn.split("/")[1] if self.is_stream else self.arn.rpartition(":")[2]

    def accepts(self, record: Json) -> bool:
        """Whether the mapping hands this record to the function."""
        return not self.filters or any(pattern.matches(record) for pattern in self.filters)


def function_of(name: str, code: Path, properties: Json, layers: Mapping[str, Path], emulator: Emulator) -> Function:
    """Read a function's resolved properties; `layers` are the known layers' folders by ARN.

    Its AWS clients are tied to the emulator. Raises TemplateError for a layer that nobody knows.
    """
    for layer in properties.get("Layers", []):
        if layer not in layers:
            raise TemplateError(f"{name} uses the layer {layer}, which the local stack does not know.")
    roots = (_import_root(layers[layer]) for layer in properties.get("Layers", []))
    variables = properties.get("Environment", {}).get("Variables", {})
    return Function(
        name=name,
        code_dir=code,
        handler=properties["Handler"],
        environment={
            # As in Lambda, each function has credentials of its own: every call tells who made it.
            **worker_environment(emulator.url, access_key=name),
            **{key: _text(value) for key, value in variables.items()},
        },
        # Lambda's defaults: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
        timeout=float(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        layers=tuple(root for root in roots if root is not None),
        account=emulator.account,
    )


def routes_of(paths: Json) -> tuple[Route, ...]:
    """Read the routes of a resolved OpenAPI definition's `paths`. Raises TemplateError for other kinds."""
    found: list[Route] = []
    for path, operations in paths.items():
        for method, operation in operations.items():
            uri: str = operation["x-amazon-apigateway-integration"]["uri"]
            function = _function_name(uri.partition("/functions/")[2].removesuffix("/invocations"))
            schemes = {scheme for entry in operation.get("security", []) for scheme in entry}
            if schemes - {"AWS_IAM", "NONE"}:
                raise TemplateError(f"The route {method.upper()} {path} has an authorizer other than AWS_IAM.")
            try:
                found.append(Route(method.upper(), path, function, iam="AWS_IAM" in schemes))
            except ValueError as problem:
                raise TemplateError(f"The route {method.upper()} {path} is not served: {problem}.") from None
    return tuple(found)


def _function_name(arn: str) -> str:
    """`arn:aws:lambda:<region>:<account>:function:<name>[:<alias>]`, or the name alone."""
    return arn.rpartition(":function:")[2].partition(":")[0]


def _import_root(layer: Path) -> Path | None:
    """The folder to import a layer's content from; None for third-party packages, installed here anyway."""
    return layer.parent if (layer / "__init__.py").is_file() else None


def _text(value: Any) -> str:  # noqa: ANN401 - a JSON scalar
    return value if isinstance(value, str) else json.dumps(value)
