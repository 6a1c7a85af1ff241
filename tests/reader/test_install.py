"""The reader outside Lambda: the package is built, installed where nothing is, and brings boto3 alone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
UV = PROJECT / ".tools" / "uv" / "bin" / "uv"
# What boto3 itself needs.
BOTO3 = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}


def run(*command: str | Path, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(  # noqa: S603 - commands of our own
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(
        UV,
        "build",
        "--quiet",
        "--offline",
        "--wheel",
        "--python",
        sys.executable,
        "--out-dir",
        folder,
        PROJECT,
        folder=folder,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_library_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if not name.endswith("/")}
    source = PROJECT / "layers" / "brokerlink"
    modules = {f"brokerlink/{file.relative_to(source)}" for file in source.rglob("*.py")}
    assert {name for name in inside if ".dist-info/" not in name} == modules | {"brokerlink/py.typed"}


def test_it_is_installed_where_nothing_is_and_imports_with_boto3_alone(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    run(UV, "venv", "--quiet", "--no-project", "--python", sys.executable, home, folder=tmp_path)
    python = home / "bin" / "python"
    install = (UV, "pip", "install", "--quiet", "--python", python)
    run(*install, "--constraint", PROJECT / "requirements" / "runtime.txt", wheel, folder=tmp_path)
    names = "import importlib.metadata as m; print(*(d.name.lower() for d in m.distributions()))"
    assert set(run(python, "-I", "-c", names, folder=tmp_path).split()) == {"brokerlink", *BOTO3}
    told = run(python, "-I", "-W", "error", "-c", "import brokerlink.reader as r; print(r.__file__)", folder=tmp_path)
    assert Path(told.strip()).is_relative_to(home.resolve())
