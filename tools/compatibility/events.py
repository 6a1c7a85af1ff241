"""Compares two versions of an event's schema, and of the AsyncAPI document: what breaks a consumer of the old one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.compatibility.schemas import Comparison, Document


def breaking_schema_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Give what breaks between two versions of an event's schema, one sentence each."""
    identity = [f"{name}: is another" for name in ("$id",) if old.get(name) != new.get(name)]
    return identity + sorted(Comparison(Document(old), Document(new)).of_output(old, new, "event"))


def breaking_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Give what breaks between two AsyncAPI documents, one sentence each; payloads are files of their own."""
    return sorted(_breaks(Document(old), Document(new)))


def _breaks(old: Document, new: Document) -> Iterator[str]:
    for name, channel in old.content["channels"].items():
        successor = new.content["channels"].get(name)
        if successor is None:
            yield f"channel {name}: is gone"
            continue
        for part in ("address", "bindings"):
            if channel.get(part) != successor.get(part):
                yield f"channel {name}: has another {part}"
        for message, reference in channel["messages"].items():
            where = f"channel {name} {message}"
            if message not in successor["messages"]:
                yield f"{where}: is gone"
            else:
                yield from _message(old, new, reference, successor["messages"][message], where)
    for name, operation in old.content["operations"].items():
        successor = new.content["operations"].get(name, {})
        if any(operation[part] != successor.get(part) for part in ("action", "channel")):
            yield f"operation {name}: is gone or is another"


def _message(
    old: Document, new: Document, before: Mapping[str, Any], after: Mapping[str, Any], where: str
) -> Iterator[str]:
    before, after = old.resolve(before), new.resolve(after)
    for part in ("name", "contentType", "payload", "correlationId"):
        # What is said about a part for people may change.
        if _said(before.get(part)) != _said(after.get(part)):
            yield f"{where}: has another {part}"
    yield from Comparison(old, new).of_output(before["headers"], after["headers"], f"{where} headers")


def _said(part: object) -> object:
    if not isinstance(part, Mapping):
        return part
    return {name: each for name, each in part.items() if name != "description"}
