"""A consumer's stack imports what this one exports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from tests.template.check_outputs import EXPORTED
from tests.template.stack import ROOT, named

CONSUMER: Path = ROOT / "examples" / "consumer" / "template.yaml"


def _imports(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "Fn::ImportValue" in node:
            yield named(node["Fn::ImportValue"])
        for value in node.values():
            yield from _imports(value)
    elif isinstance(node, list):
        for value in node:
            yield from _imports(value)


def test_each_import_is_an_export() -> None:
    imports = set(_imports(yaml_parse(CONSUMER.read_text(encoding="utf-8"))))
    assert imports
    assert imports <= {f"${{BrokerlinkStack}}-{name}" for name in EXPORTED}
