"""A copy of the project, as an operator has it, with one change to its template."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_GIT = shutil.which("git") or "git"


def copy_project(folder: Path) -> Path:
    """Copy what git knows, and the environments by a link. Gives the copy.

    The template asks for https in PublicBaseUrl, and simulators on plain http can be reached only where that is plain
    http on loopback too: the copy's template takes any value.
    """
    names = subprocess.run(  # noqa: S603 - git itself
        [_GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for environment in (".venv", ".tools"):
        (folder / environment).symlink_to(ROOT / environment)
    template = folder / "template.yaml"
    changed, count = re.subn(
        r"(?m)(^  PublicBaseUrl:\n(?:    .*\n)*?)    AllowedPattern: .*\n", r"\1", template.read_text(encoding="utf-8")
    )
    assert count == 1
    template.write_text(changed, encoding="utf-8")
    return folder
