"""The stack that template.yaml describes, read as its translated resources."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.aws import isolated_session
from local.template import read_source
from tests.template.conditions import settled

type Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "template.yaml"
_CONSUMER_SOURCE = ROOT / "examples" / "consumer" / "template.yaml"

FUNCTIONS = ("AuthorizeFunction", "CallbackFunction", "AnnounceFunction", "ConnectionsFunction", "RemindFunction")


@dataclass(frozen=True)
class Stack:
    """A translated template, as the parameters leave it; `whole` is it before any condition was decided."""

    body: Json
    whole: Json

    def properties(self, name: str) -> Json:
        properties: Json = self.body["Resources"][name]["Properties"]
        return properties

    def of_type(self, kind: str) -> dict[str, Json]:
        """The properties of each resource of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.body["Resources"].items()
            if resource["Type"] == kind
        }

    @property
    def routes(self) -> Iterator[tuple[str, Json]]:
        """Each route's key, such as `GET /result`, with its OpenAPI operation."""
        for path, operations in self.properties("HttpApi")["Body"]["paths"].items():
            for method, operation in operations.items():
                yield f"{method.upper()} {path}", operation


def source() -> Json:
    """Return template.yaml as written, free to be changed."""
    return copy.deepcopy(_parsed())


@cache
def _parsed() -> Json:
    return read_source(SOURCE)


def consumer_source() -> Json:
    """Return the consumer's template as written, free to be changed."""
    return read_source(_CONSUMER_SOURCE)


def translate(template: Json, **parameters: str) -> Stack:
    """Translate a template that is free to be changed, as `local.template` does it but without reading a file.

    What is not given has its default.
    """
    for name, resource in template["Resources"].items():
        for setting in ("CodeUri", "ContentUri"):
            if setting in resource.get("Properties", {}):
                resource["Properties"][setting] = f"s3://code/{name}"
    translator = Translator(None, Parser(), boto_session=isolated_session())
    whole: Json = translator.translate(template, parameter_values=parameters, get_managed_policy_map=dict)
    # Goes nowhere, but unpublished metrics are complained about.
    translator.metrics.publish()
    return Stack(settled(whole, parameters), whole)


def named(value: object) -> str:
    """Write a reference the short way: `Table.Arn` for Fn::GetAtt, `Table` for Ref, the text of Fn::Sub."""
    match value:
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{name}.{attribute}"
        case {"Fn::GetAtt": str(text)} | {"Ref": str(text)} | {"Fn::Sub": str(text)} | str(text):
            return text
    return json.dumps(value, sort_keys=True)


def listed(value: object) -> list[object]:
    """One value or several, as IAM has it."""
    return value if isinstance(value, list) else [value]
