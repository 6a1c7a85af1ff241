"""Lints every template twice: as it is written, and as the resources that SAM makes of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import TemplateError
from local.template import Json, Template

if TYPE_CHECKING:
    from cfnlint.api import ManualArgs

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = (ROOT / "template.yaml", ROOT / "examples" / "consumer" / "template.yaml")
_REGIONS = ["ap-south-1"]
# Parameters and mappings that are used by nobody: SAM has put the values of some in their place.
_USED_BEFORE = ["W2001", "W7001"]


def findings(path: Path) -> list[str]:
    """Return what is wrong with either form of a template, one line each; nothing is how it should be."""
    found = _lint(path.name, path.read_text(encoding="utf-8"), {"regions": _REGIONS})
    try:
        translated = Template.load(path, {})
    except TemplateError as problem:
        return [*found, str(problem)]
    return found + findings_in(f"{path.name} (translated)", translated.body)


def findings_in(name: str, translated: Json) -> list[str]:
    """Return what is wrong with the resources that SAM made of a template."""
    return _lint(name, json.dumps(translated, indent=1), {"regions": _REGIONS, "ignore_checks": _USED_BEFORE})


def _lint(name: str, text: str, rules: ManualArgs) -> list[str]:
    # Importing it takes two seconds, which tests that lint nothing should not wait for.
    from cfnlint.api import lint  # noqa: PLC0415 - see above

    return [f"{name}:{finding.linenumber}: {finding.rule.id} {finding.message}" for finding in lint(text, config=rules)]


def main() -> int:
    found = {path.relative_to(ROOT): findings(path) for path in TEMPLATES}
    for path, lines in found.items():
        print(f"{path}: {len(lines) or 'no'} findings")
        for line in lines:
            print(f"  {line}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
