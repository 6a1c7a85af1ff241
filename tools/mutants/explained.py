"""The survivors that docs/mutation.md explains."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.mutants.generation import Mutant
from tools.mutants.targets import ROOT, Target

PAGE: Final = ROOT / "docs" / "mutation.md"
_SECTION: Final = re.compile(r"^### `(\w+)`$", re.MULTILINE)
_ENTRY: Final = re.compile(
    r"^\*\*`(?P<where>[\w.]+)`\*\* (?P<kind>Equivalent|Accepted): .+?\n\n(?P<changes>(?:```diff\n.*?\n```\n+)+)",
    re.MULTILINE | re.DOTALL,
)
_CHANGE: Final = re.compile(r"```diff\n(.*?)\n```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Explained:
    """A change that no test notices: of which target, in which function, and whether nothing could notice it."""

    target: str
    where: str
    change: str
    equivalent: bool = False

    @property
    def identity(self) -> tuple[str, str, str]:
        """Give what it has in common with the mutant."""
        return self.target, self.where, self.change


def identity(target: Target, mutant: Mutant) -> tuple[str, str, str]:
    """Give the name under which a survivor is explained."""
    return target.name, mutant.function or "module", mutant.change


def explained(page: Path) -> list[Explained]:
    """Read the page's sections, one a target; in each, a function, a reason, and the changes that have it."""
    sections = _SECTION.split(page.read_text(encoding="utf-8"))
    return [
        Explained(target, entry["where"], change, equivalent=entry["kind"] == "Equivalent")
        for target, text in zip(sections[1::2], sections[2::2], strict=True)
        for entry in _ENTRY.finditer(text)
        for change in _CHANGE.findall(entry["changes"])
    ]
