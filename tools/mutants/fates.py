"""What became of mutants, kept from one run to the next below build/."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from tools.mutants.generation import Mutant
from tools.mutants.targets import ROOT, Target

FOLDER: Final = ROOT / "build" / "mutants"


class Fate(StrEnum):
    """How a mutant ended."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Fates:
    """The fates of one module's mutants, by their keys. Each is written as it is found, by whatever process."""

    written: Path

    @classmethod
    def of(cls, target: Target, folder: Path) -> Fates:
        """Give the fates of a target that are kept in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder / f"{target.name}.jsonl")

    def read(self) -> dict[str, Fate]:
        """Give what is written."""
        lines = self.written.read_text(encoding="utf-8").splitlines() if self.written.exists() else []
        return {key: Fate(fate) for key, fate in map(json.loads, lines)}

    def forget(self, *, all_of_them: bool) -> None:
        """Forget the survivors, which new tests may kill; or everything."""
        kept = {} if all_of_them else {key: fate for key, fate in self.read().items() if fate is not Fate.SURVIVED}
        self.written.write_text("".join(_line(key, fate) for key, fate in kept.items()), encoding="utf-8")

    def note(self, mutant: Mutant, fate: Fate) -> None:
        """Write a fate."""
        with self.written.open("a", encoding="utf-8") as written:
            written.write(_line(mutant.key, fate))


def _line(key: str, fate: Fate) -> str:
    return json.dumps([key, fate]) + "\n"
