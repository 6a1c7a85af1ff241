"""Freezes the contracts of a release: `make freeze` copies them to contracts/released/<version>, once."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tomllib
from pathlib import Path

from tools.command import Failure, run

PROJECT = Path(__file__).resolve().parents[1]


def contract_files(folder: Path) -> list[Path]:
    """Give the contracts in a folder."""
    return sorted([*folder.glob("*.schema.json"), folder / "asyncapi.yaml", folder / "openapi.yaml"])


def freeze(project: Path = PROJECT) -> Path:
    """Copy the contracts, and give where they are now. Raises Failure where the version is released already."""
    version: str = tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"]
    released = project / "contracts" / "released"
    home = released / version
    if home.exists():
        raise Failure(f"{version} is released already: raise the version in pyproject.toml and contracts/ first")
    home.mkdir(parents=True)
    for file in contract_files(project / "contracts"):
        shutil.copyfile(file, home / file.name)
    (released / "SHA256SUMS").write_text(checksums(released))
    return home


def checksums(released: Path) -> str:
    """Give the sums of all that is frozen, as `sha256sum --check` reads them."""
    files = sorted(path for path in released.glob("*/*") if path.is_file())
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(released).as_posix()}\n" for file in files
    )


def main() -> int:
    """Freeze, and say where."""
    print(f"brokerlink: frozen in {freeze().relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(run("freeze", main))
