"""Two builds of one source, made side by side, and the first of them as Lambda would have it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.emulator import Emulator
from local.execution import Function, process_environment
from local.moto_engine import Moto
from local.ports import listen
from local.stack import Stack
from tests.artifact.calls import Calls
from tests.artifact.trees import ROOT, Tree, read_folder
from tests.integration.walker import Walker
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


class Watched:
    """Starts the artifact in place of the source, with an interpreter that tells which file each module comes from."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.functions: dict[str, Function] = {}

    def __call__(self, function: Function) -> Function:
        started = self.layout.in_lambda(function)
        if started is function:
            return function
        self.functions[function.name] = started
        return replace(started, environment={**started.environment, "PYTHONVERBOSE": "1"})


def run(watched: Watched, stack: Stack, name: str, code: str) -> Any:
    """Run code in the place of a function, whose module it names HANDLER; give the JSON that it prints last."""
    del stack  # it has told where the functions are
    function = watched.functions[name]
    handler = function.handler.partition(".")[0]
    done = subprocess.run(  # noqa: S603 - the interpreter that runs the function, in its place
        [*function.command[:1], "-c", code.replace("HANDLER", handler)],
        cwd=function.code_dir,
        env=process_environment(function, "unused"),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def watched(layout: Layout) -> Watched:
    return Watched(layout)


@pytest.fixture(scope="session")
def unpacked(layout: Layout) -> dict[Path, Tree]:
    """The artifact's places before anything ran."""
    return {place: read_folder(place) for place in (layout.opt, *layout.tasks.values())}


@pytest.fixture(scope="package")
def calls() -> Calls:
    """What the functions ask of AWS."""
    return Calls(Moto())


@pytest.fixture(scope="package")
def stack(
    watched: Watched, unpacked: object, calls: Calls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The local stack, with the artifact in place of the source."""
    if not sys.platform.startswith("linux"):
        pytest.skip("awslambdaric is for Linux")
    del unpacked  # read by now
    folder: Path = tmp_path_factory.mktemp("stack")
    with Stack(runs=watched, engine=calls, brokers_file=folder / "none.toml", logs=folder / "logs") as running:
        yield running


@pytest.fixture
def walker(stack: Stack) -> Walker:
    return Walker(stack)
