"""Set-up without a network: what is found complete, what is refused, and who waits for whom."""

from __future__ import annotations

import ast
import fcntl
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# All that a fresh machine has beside make, git and a Python.
PROGRAMS = ("sh", "cat", "dirname")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what set-up reads, at a path with spaces."""
    folder = tmp_path / "a project of mine"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".python-version", folder)
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH without any Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in PROGRAMS:
        found = shutil.which(program)
        assert found is not None
        (folder / program).symlink_to(found)
    return folder


def _complete(project: Path, home: str, program: str, *names: str) -> None:
    _program(project / home / "bin" / program, "exit 0")
    (project / home / ".made-from").mkdir()
    for source in (".python-version", *(f"requirements/{name}.txt" for name in names)):
        shutil.copy(project / source, project / home / ".made-from")


def _program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def _bootstrap(project: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this project's own script
        ["sh", str(project / "tools" / "bootstrap.sh"), *arguments],  # noqa: S607 - the shell of the test's PATH
        env={"PATH": str(path), "HOME": str(project)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("home", "program", "name"),
    [
        (".venv", "python", "local"),
        (".venv", "python", "dev"),
        (".tools/sam", "python", "sam"),
        (".tools/ministack", "python", "ministack"),
        (".tools/checkov", "python", "checkov"),
        (".tools/awscli", "python", "awscli"),
        (".tools/docs", "python", "docs"),
        (".tools/uv", "uv", "uv"),
    ],
)
def test_what_is_complete_is_left_alone(project: Path, path: Path, home: str, program: str, name: str) -> None:
    _complete(project, home, program, name)
    done = _bootstrap(project, path, name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_changed_requirements_are_not_complete(project: Path, path: Path) -> None:
    _complete(project, ".venv", "python", "local")
    with (project / "requirements" / "local.txt").open("a") as requirements:
        requirements.write("one-more==1\n")
    assert _bootstrap(project, path, "local").returncode == 1


def test_another_python_version_is_not_complete(project: Path, path: Path) -> None:
    _complete(project, ".venv", "python", "local")
    (project / ".python-version").write_text("3.99\n", encoding="utf-8")
    assert _bootstrap(project, path, "local").returncode == 1


def test_an_environment_whose_python_is_gone_is_not_complete(project: Path, path: Path) -> None:
    _complete(project, ".venv", "python", "local")
    (project / ".venv" / "bin" / "python").unlink()
    assert _bootstrap(project, path, "local").returncode == 1


def test_a_machine_without_a_usable_python_is_told_in_a_sentence(project: Path, path: Path) -> None:
    _program(path / "python3", "exit 1")  # too old
    _program(path / "python3.13", "exit 127")  # a shim that leads nowhere
    done = _bootstrap(project, path, "local")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "brokerlink: needs a Python of version 3.10 or newer on the PATH to set itself up; none was found."
    ]


def test_a_python_without_pip_and_venv_is_told_in_a_sentence(project: Path, path: Path, python: str) -> None:
    bare = 'case "$*" in *"-m pip"* | *"-m venv"*) exit 1 ;; esac'
    _program(path / "python3", f'{bare}\nexec "{python}" "$@"')
    hidden = f"import sys; sys.executable = {str(path / 'python3')!r}"
    script = project / "tools" / "bootstrap.py"
    script.write_text(script.read_text("utf-8").replace("import sys\n", f"{hidden}\n", 1), encoding="utf-8")
    done = _bootstrap(project, path, "local")
    assert done.returncode == 1
    assert "has neither pip nor venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_set_up_waits_for_the_first(project: Path, python: str) -> None:
    _complete(project, ".tools/uv", "uv", "uv")
    command = [python, "-I", "tools/bootstrap.py", "uv"]
    with (project / ".tools" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as second:  # noqa: S603 - the same
            assert second.stderr is not None
            assert "waiting for another make" in second.stderr.readline()
            assert second.poll() is None
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert second.wait(timeout=60) == 0


def test_set_up_runs_on_the_oldest_python_that_it_takes() -> None:
    source = (ROOT / "tools" / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 10))


def _pins(name: str) -> Mapping[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, flags=re.MULTILINE))


def test_what_runs_is_what_is_tested() -> None:
    assert _pins("runtime").items() <= _pins("local").items() <= _pins("dev").items()


@pytest.mark.parametrize("name", ["runtime", "local", "dev", "sam", "ministack", "checkov", "awscli", "uv"])
def test_every_requirement_is_pinned_by_hash(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text)
    requirements = [block for block in blocks if not block.startswith("#")]
    assert requirements
    assert all("==" in block and "--hash=sha256:" in block for block in requirements)
