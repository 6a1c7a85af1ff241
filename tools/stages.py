"""The stages in samconfig.toml: which stack an operator's command is about, and which parameters it is given."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.command import Failure

CONFIG: Final = Path(__file__).parent.parent / "samconfig.toml"
DEFAULT: Final = "default"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its stack's name and region, and the parameters that it sets."""

    name: str
    stack: str
    region: str
    parameters: Mapping[str, str]

    def command(self, target: str, **variables: str) -> str:
        """Give the command line of a make target for this stage."""
        stage = {} if self.name == DEFAULT else {"STAGE": self.name}
        words = (f"{name}={shlex.quote(value)}" for name, value in {**variables, **stage}.items())
        return " ".join(["make", target, *words])


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Let a command be given a stage: make passes its variables on as the environment."""
    parser.add_argument("--stage", default=os.environ.get("STAGE", DEFAULT), help="a stage in samconfig.toml (STAGE=)")


def read_stage(name: str, config: Path = CONFIG) -> Stage:
    """Read a stage. Raises `Failure` for one that samconfig.toml does not describe."""
    stages: Mapping[str, Any] = tomllib.loads(config.read_text(encoding="utf-8"))
    known = [each for each, value in stages.items() if isinstance(value, dict)]
    if name not in known:
        raise Failure(f"samconfig.toml has no stage {name!r}: STAGE is one of {', '.join(known)}, or add one there")
    settings = stages[name].get("global", {}).get("parameters", {})
    stack, region = settings.get("stack_name"), settings.get("region")
    if not isinstance(stack, str) or not _NAME.fullmatch(stack) or not isinstance(region, str):
        raise Failure(f"samconfig.toml: [{name}.global.parameters] needs stack_name and region")
    overrides = stages[name].get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    words = shlex.split(overrides) if isinstance(overrides, str) else overrides
    return Stage(name, stack, region, assignments(words, f"samconfig.toml: parameter_overrides of {name}"))


def assignments(words: list[str], where: str) -> dict[str, str]:
    """Read `Name=value` words. Raises `Failure`."""
    for word in words:
        if not re.match(r"[A-Za-z]\w*=", word):
            raise Failure(f"{where}: every word has to be Name=value")
    return dict(word.split("=", 1) for word in words)
