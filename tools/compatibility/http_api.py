"""Compares two OpenAPI documents: what breaks a browser's or a backend's program that was written for the old one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tools.compatibility.schemas import Comparison, Document

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def breaking_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Give what breaks, one sentence each, by where it is; nothing where the new document is a compatible successor."""
    return sorted(_HttpApi(Document(old), Document(new)).breaks())


class _HttpApi:
    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new
        self.schemas = Comparison(old, new)

    def breaks(self) -> Iterator[str]:
        routes = _operations(self.new)
        for route, old in _operations(self.old).items():
            if route not in routes:
                yield f"{route}: is gone"
                continue
            new = routes[route]
            if old.get("operationId") != new.get("operationId"):
                yield f"{route}: has another operationId"
            yield from self._security(old, new, route)
            yield from self._parameters(old, new, route)
            yield from self._body(old, new, route)
            yield from self._responses(old["responses"], new["responses"], route)

    def _security(self, old: Mapping[str, Any], new: Mapping[str, Any], route: str) -> Iterator[str]:
        before, after = self._schemes(self.old, old), self._schemes(self.new, new)
        if after and before != after:
            yield f"{route}: callers have to authenticate in another way"

    @staticmethod
    def _schemes(document: Document, operation: Mapping[str, Any]) -> list[dict[str, Any]]:
        required = operation.get("security", document.content.get("security", []))
        schemes = document.content.get("components", {}).get("securitySchemes", {})
        return [
            {name: {key: each for key, each in schemes[name].items() if key != "description"} for name in entry}
            for entry in required
        ]

    def _parameters(self, old: Mapping[str, Any], new: Mapping[str, Any], route: str) -> Iterator[str]:
        before, after = self._named(self.old, old), self._named(self.new, new)
        for key in before | after:
            where = f"{route} {key[0]} {key[1]}"
            if key not in after:
                yield f"{where}: is gone"
                continue
            if after[key].get("required") and not before.get(key, {}).get("required"):
                yield f"{where}: is required now"
            if key in before:
                yield from self.schemas.of_input(before[key]["schema"], after[key]["schema"], where)

    @staticmethod
    def _named(document: Document, operation: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
        parameters = map(document.resolve, operation.get("parameters", []))
        return {(parameter["in"], parameter["name"]): parameter for parameter in parameters}

    def _body(self, old: Mapping[str, Any], new: Mapping[str, Any], route: str) -> Iterator[str]:
        before = self.old.resolve(old.get("requestBody", {}))
        after = self.new.resolve(new.get("requestBody", {}))
        if after.get("required") and not before.get("required"):
            yield f"{route} body: is required now"
        for media_type, content in before.get("content", {}).items():
            if media_type not in after.get("content", {}):
                yield f"{route} body {media_type}: is gone"
            else:
                taken = after["content"][media_type]["schema"]
                yield from self.schemas.of_input(content["schema"], taken, f"{route} body")

    def _responses(self, old: Mapping[str, Any], new: Mapping[str, Any], route: str) -> Iterator[str]:
        for status, response in old.items():
            if status not in new:
                yield f"{route} {status}: is gone"
            else:
                before, after = self.old.resolve(response), self.new.resolve(new[status])
                yield from self._headers(before, after, f"{route} {status}")
                yield from self._contents(before, after, f"{route} {status}")
        # An error that a program does not know it handles by its class; another success it takes for the known one.
        yield from (f"{route} {status}: is new to its readers" for status in new if status not in old and status < "4")

    def _headers(self, old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[str]:
        for name, header in old.get("headers", {}).items():
            if name not in new.get("headers", {}):
                yield f"{where} {name}: is gone"
                continue
            before, after = self.old.resolve(header), self.new.resolve(new["headers"][name])
            if before.get("required") and not after.get("required"):
                yield f"{where} {name}: to lack it is new to its readers"
            yield from self.schemas.of_output(before["schema"], after["schema"], f"{where} {name}")

    def _contents(self, old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[str]:
        before, after = old.get("content", {}), new.get("content", {})
        yield from (f"{where} {media_type}: is gone" for media_type in before if media_type not in after)
        if not before and after:
            yield f"{where}: a body is new to its readers"
        for media_type in before.keys() & after.keys():
            schemas = (before[media_type]["schema"], after[media_type]["schema"])
            yield from self.schemas.of_output(*schemas, f"{where} {media_type}")


def _operations(document: Document) -> dict[str, dict[str, Any]]:
    """Give the operations by route, each with the parameters of its path."""
    return {
        f"{method.upper()} {path}": {
            **item[method],
            "parameters": [*item.get("parameters", []), *item[method].get("parameters", [])],
        }
        for path, item in document.content["paths"].items()
        for method in _METHODS
        if method in item
    }
