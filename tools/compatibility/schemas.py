"""Compares two JSON Schemas by their structure: whether all that one allows is allowed by the other.

It errs on the side of a break: two patterns that differ as text differ. A keyword that it does not know is an error, so
that no schema passes uncompared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

type Schema = Mapping[str, Any]

_ANNOTATIONS: Final = {"$schema", "$id", "title", "description", "examples", "default", "deprecated"}
_COMPARED: Final = {
    *("type", "const", "enum", "pattern", "format", "minimum", "maximum", "minLength", "maxLength"),
    *("required", "properties", "additionalProperties", "items", "anyOf", "oneOf", "not"),
}
_TYPES: Final = {"string", "number", "integer", "object", "array", "boolean", "null"}
_LOWER, _UPPER = ("minimum", "minLength"), ("maximum", "maxLength")


class UnknownKeyword(Exception):
    """A schema says something that is not compared; the text names the keyword."""


@dataclass(frozen=True)
class Document:
    """A document that schemas are read from, for the references within it."""

    content: Mapping[str, Any]

    def resolve(self, value: Schema) -> Schema:
        """Give a schema, or any other part, without references at its top; what stands beside one goes before."""
        while "$ref" in value:
            target: Any = self.content
            for step in value["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            value = {**target, **{name: each for name, each in value.items() if name != "$ref"}}
        return value


@dataclass(frozen=True)
class Comparison:
    """Compares schemas of an old document with those of its successor."""

    old: Document
    new: Document

    def of_input(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        """Give the breaks of what callers send: all that was taken has to be taken still."""
        yield from _Containment(self.old, self.new, "is refused now", names_vanish_from_outer=True).breaches(
            old, new, path
        )

    def of_output(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        """Give the breaks of what callers read: all that is sent has to be what they were told of."""
        yield from _Containment(self.new, self.old, "is new to its readers", names_vanish_from_outer=False).breaches(
            new, old, path
        )


@dataclass(frozen=True)
class _Containment:
    """Whether all that `inner` allows is allowed by `outer`; of the two, the old one has the names that must stay."""

    inner: Document
    outer: Document
    why: str
    names_vanish_from_outer: bool

    def breaches(self, inner: Schema, outer: Schema, path: str) -> Iterator[str]:
        inner, outer = self.inner.resolve(inner), self.outer.resolve(outer)
        for schema in (inner, outer):
            unknown = {name for name in schema if not name.startswith("x-")} - _ANNOTATIONS - _COMPARED
            if unknown:
                raise UnknownKeyword(f"{path}: {', '.join(sorted(unknown))}")
        yield from self._values(inner, outer, path)
        yield from self._limits(inner, outer, path)
        yield from self._names(inner, outer, path)
        yield from self._alternatives(inner, outer, path)
        if "items" in outer:
            yield from self.breaches(inner.get("items", {}), outer["items"], f"{path}[]")

    def _values(self, inner: Schema, outer: Schema, path: str) -> Iterator[str]:
        if wider := _types(inner) - _types(outer):
            yield f"{path}: type {', '.join(sorted(wider))} {self.why}"
        allowed, possible = _listed(outer), _listed(inner)
        if allowed is not None and possible is None:
            yield f"{path}: any value {self.why}"
        elif allowed is not None and possible is not None:
            yield from (f"{path}: value {value!r} {self.why}" for value in possible if value not in allowed)

    def _limits(self, inner: Schema, outer: Schema, path: str) -> Iterator[str]:
        for name in ("pattern", "format", "not"):
            # A listed value is compared as such.
            if name in outer and inner.get(name) != outer[name] and _listed(inner) is None:
                yield f"{path}: what another {name} allows {self.why}"
        for name in _LOWER:
            if inner.get(name, -math.inf) < outer.get(name, -math.inf):
                yield f"{path}: what is below {name} {outer[name]} {self.why}"
        for name in _UPPER:
            if inner.get(name, math.inf) > outer.get(name, math.inf):
                yield f"{path}: what is above {name} {outer[name]} {self.why}"

    def _names(self, inner: Schema, outer: Schema, path: str) -> Iterator[str]:
        for name in outer.get("required", ()):
            if name not in inner.get("required", ()):
                yield f"{path}.{name}: to lack it {self.why}"
        inside, outside = inner.get("properties", {}), outer.get("properties", {})
        old, new = (inside, outside) if self.names_vanish_from_outer else (outside, inside)
        yield from (f"{path}.{name}: is gone" for name in old if name not in new)
        closed = outer.get("additionalProperties") is False
        if closed and not self.names_vanish_from_outer:
            yield from (f"{path}.{name}: {self.why}" for name in inside if name not in outside)
        if closed and inner.get("additionalProperties") is not False:
            yield f"{path}: any other name {self.why}"
        for name in inside.keys() & outside.keys():
            yield from self.breaches(inside[name], outside[name], f"{path}.{name}")

    def _alternatives(self, inner: Schema, outer: Schema, path: str) -> Iterator[str]:
        for keyword in ("anyOf", "oneOf"):
            if keyword not in outer:
                continue
            # Without alternatives of its own it has to fit one as a whole.
            for number, alternative in enumerate(inner.get(keyword, [inner])):
                if all(any(self.breaches(alternative, each, path)) for each in outer[keyword]):
                    yield f"{path}: alternative {number + 1} of {keyword} {self.why}"


def _types(schema: Schema) -> set[str]:
    given, listed = schema.get("type"), _listed(schema)
    if given is None and listed is not None:
        return {_type(value) for value in listed}
    types = {given} if isinstance(given, str) else set(given or _TYPES)
    return types | {"integer"} if "number" in types else types


def _type(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case None:
            return "null"
        case str():
            return "string"
        case int():
            return "integer"
        case _:
            return {float: "number", list: "array"}.get(type(value), "object")


def _listed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")
