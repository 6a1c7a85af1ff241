"""Leaves of the installed packages what brokerlink's functions use: run by the layer's Makefile.

    python3.13 prune.py <folder of the installed packages>

Cold starts pay for the rest: botocore reads the models of services and all of their operations, and a megabyte of
endpoints, before the first client is made. Whatever is not found where it is expected ends the build: an upgrade has
moved it, and what is pruned here has to be looked at again.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What the functions call; no more is left of these services, and nothing of any other.
OPERATIONS = {
    "dynamodb": ("GetItem", "PutItem", "Query", "Scan", "TransactWriteItems", "UpdateItem"),
    "kms": ("Encrypt",),
    "secretsmanager": ("GetSecretValue",),
    "sns": ("Publish",),
    "sqs": ("SendMessage",),
}
# Read by botocore for every client, whatever its service.
COMMON = frozenset({"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"})
MODEL, RULES = "service-2", "endpoint-rule-set-1"
# Modules that import a good deal for what is never asked of them here: botocore's documentation of its clients, for
# which `help` would ask, and urllib3's HTTP/2, which has to be switched on.
LIGHTER = {
    "botocore/docs/__init__.py": "",
    "botocore/docs/docstring.py": """\
class _NoDocstring(str):
    __slots__ = ()

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = _NoDocstring
""",
    "urllib3/http2/__init__.py": "",
}

# JSON as it comes from the files.
type Json = Any


def main(site: Path) -> None:
    """Prune the packages in a folder."""
    prune_data(site / "botocore" / "data")
    for module, text in LIGHTER.items():
        with (site / module).open("r+", encoding="utf-8") as file:  # it must be there
            file.truncate()
            file.write(text)


def prune_data(data: Path) -> None:
    """Leave the models of our services, with our operations, and the endpoints of our services."""
    for entry in data.iterdir():
        if entry.is_dir() and entry.name not in OPERATIONS:
            shutil.rmtree(entry)
        elif entry.is_file() and entry.name not in COMMON:
            entry.unlink()
    for service, operations in OPERATIONS.items():
        *older, latest = sorted((data / service).iterdir())
        model, rules = _read(latest / f"{MODEL}.json.gz"), _read(latest / f"{RULES}.json.gz")
        for folder in (*older, latest):
            shutil.rmtree(folder)
        latest.mkdir()
        _write(latest / f"{MODEL}.json", pruned_model(model, operations))
        _write(latest / f"{RULES}.json", without_documentation(rules))
    endpoints = json.loads((data / "endpoints.json").read_text(encoding="utf-8"))
    for partition in endpoints["partitions"]:
        partition["services"] = {name: kept for name, kept in partition["services"].items() if name in OPERATIONS}
    _write(data / "endpoints.json", endpoints)


def pruned_model(model: Json, operations: tuple[str, ...]) -> Json:
    """Give a service's model with these operations and the shapes that they reach."""
    kept = without_documentation({**model, "operations": {name: model["operations"][name] for name in operations}})
    reached: set[str] = set()
    ahead = set(_references(kept["operations"]))
    while ahead:
        name = ahead.pop()
        reached.add(name)
        ahead |= set(_references(kept["shapes"][name])) - reached
    return {**kept, "shapes": {name: shape for name, shape in kept["shapes"].items() if name in reached}}


def without_documentation(part: Json) -> Json:
    """Give a model without its texts for people. A member may bear that name too, but it is no text."""
    match part:
        case dict():
            texts = {name for name, value in part.items() if name == "documentation" and isinstance(value, str)}
            return {name: without_documentation(value) for name, value in part.items() if name not in texts}
        case list():
            return [without_documentation(each) for each in part]
    return part


def _references(part: Json) -> Iterator[str]:
    """Give the shapes that a part of a model names."""
    match part:
        case {"shape": str(name), **rest}:
            yield name
            yield from _references(rest)
        case dict():
            for each in part.values():
                yield from _references(each)
        case list():
            for each in part:
                yield from _references(each)


def _read(file: Path) -> Json:
    with gzip.open(file) as packed:
        return json.load(packed)


def _write(file: Path, content: Json) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
