"""Two builds of one source, made side by side, and the first of them as Lambda would have it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator
from local.ports import listen
from tests.artifact.trees import ROOT
from tools.artifact import Layout, Packaged, lay_out, make_removable, package

_SOURCES = (
    "functions",
    "layers",
    "requirements",
    "tools",
    "Makefile",
    "template.yaml",
    "samconfig.toml",
    ".python-version",
)
_SECONDS = 300


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two builds' folders: of projects at different paths, for different processors and under different umasks."""
    folder = tmp_path_factory.mktemp("builds")
    projects = (_project(folder / "one"), _project(folder / "another of mine"))
    running = [
        _make_build(projects[0], "arm64", umask=0o022),
        _make_build(projects[1], "x86_64", umask=0o077),
    ]
    for process in running:
        told, _ = process.communicate(timeout=_SECONDS)
        assert process.returncode == 0, told
    one, another = (project / ".aws-sam" / "build" for project in projects)
    return one, another


def _project(folder: Path) -> Path:
    """Copy what a build is made from, and lend it the tools that are installed here."""
    folder.mkdir()
    for name in _SOURCES:
        if (ROOT / name).is_dir():
            # As git gives it: no bytecode of our own runs, and files of the present time.
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(ROOT / name, folder / name)
    (folder / ".tools").mkdir()
    (folder / ".tools" / "sam").symlink_to(ROOT / ".tools" / "sam")
    return folder


def _make_build(project: Path, architecture: str, umask: int) -> subprocess.Popen[str]:
    make = shutil.which("make")
    assert make is not None
    # `make test` tells the makes below it what it was told.
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    arguments = f"--parameter-overrides Architecture={architecture}"
    return subprocess.Popen(  # noqa: S603 - this project's own Makefile
        [make, "-C", str(project), "build", f"ARGS={arguments}"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=umask,
    )


@pytest.fixture(scope="session")
def packaged(builds: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """The first build's zips, as `sam deploy` uploads them."""
    emulator = Emulator(listen(0, "AWS_PORT"))
    try:
        return package(builds[0], emulator, tmp_path_factory.mktemp("packaged") / "zips")
    finally:
        emulator.close()


@pytest.fixture(scope="session")
def layout(packaged: Packaged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """The zips, unzipped as Lambda does it."""
    folder = tmp_path_factory.mktemp("lambda")
    yield lay_out(packaged, folder)
    make_removable(folder)
