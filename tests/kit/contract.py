"""contracts/openapi.yaml, and what an answer has to be like by it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

CONTRACTS = Path(__file__).parents[2] / "contracts"
_URI = "urn:brokerlink:openapi"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@cache
def openapi() -> dict[str, Any]:
    """Give the document."""
    document: dict[str, Any] = yaml.safe_load((CONTRACTS / "openapi.yaml").read_text())
    return document


def operations() -> dict[str, dict[str, Any]]:
    """Give the operations by route, `GET /callback/{broker}`."""
    return {
        f"{method.upper()} {path}": item[method]
        for path, item in openapi()["paths"].items()
        for method in _METHODS
        if method in item
    }


def route_of(asked: str) -> str:
    """Give the route of a request such as `GET /callback/pocketful?state=…`. Raises StopIteration where it has none."""
    path = asked.partition("?")[0]
    return next(route for route in operations() if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path))


def promised() -> set[tuple[str, str, str | None]]:
    """Give all answers that the document promises: route, status and media type (None: without a body)."""
    return {
        (route, status, media_type)
        for route, operation in operations().items()
        for status, response in operation["responses"].items()
        for media_type in _resolved(response)[0].get("content", {None: None})
    }


def breaches(route: str, status: int, headers: Mapping[str, str], body: str) -> Iterator[str]:
    """Give what an answer does that the document does not say; `headers` have lower-case names."""
    documented = operations()[route]["responses"].get(str(status))
    if documented is None:
        yield f"status {status}"
        return
    method, _, path = route.partition(" ")
    response, pointer = _resolved(documented, "paths", path, method.lower(), "responses", str(status))
    yield from _header_breaches(response.get("headers", {}), headers)
    content = response.get("content")
    media_type = headers.get("content-type", "").partition(";")[0] or None
    if content is None:
        if body:
            yield "a body"
    elif media_type not in content:
        yield f"media type {media_type} with status {status}"
    elif media_type == "application/json":
        yield from _schema_breaches(_pointer(*pointer, "content", media_type, "schema"), json.loads(body))


def _header_breaches(documented: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    for name, reference in documented.items():
        header, pointer = _resolved(reference)
        value = headers.get(name.lower())
        if value is not None:
            yield from (f"{name}: {breach}" for breach in _schema_breaches(_pointer(*pointer, "schema"), value))
        elif header.get("required"):
            yield f"no {name}"
    # An answer that promises any of our headers promises all that it has.
    if documented:
        known = {name.lower() for name in documented} | {"content-type", "content-length", "date", "connection"}
        yield from (f"header {name}" for name in headers if name not in known and name != "apigw-requestid")


def _resolved(value: Mapping[str, Any], *pointer: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Follow a reference within the document; give what it leads to, and the way there."""
    while "$ref" in value:
        pointer = tuple(value["$ref"].removeprefix("#/").split("/"))
        value = openapi()
        for step in pointer:
            value = value[step]
    return value, pointer


def _pointer(*steps: str) -> str:
    return "/".join(["", *(step.replace("~", "~0").replace("/", "~1") for step in steps)])


def _schema_breaches(pointer: str, value: object) -> Iterator[str]:
    return (error.message for error in _validator(pointer).iter_errors(value))


@cache
def _validator(pointer: str) -> Draft202012Validator:
    registry = Registry().with_resource(_URI, DRAFT202012.create_resource(openapi()))
    # A pointer in a URI's fragment is percent-encoded.
    reference = f"{_URI}#{pointer.replace('{', '%7B').replace('}', '%7D')}"
    return Draft202012Validator({"$ref": reference}, registry=registry, format_checker=FormatChecker())
