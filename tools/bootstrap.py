"""Installs what a make target needs. Run by tools/bootstrap.sh with whatever Python there is, 3.10 or newer.

Everything lands inside the project: uv in .tools/uv, the SAM CLI in .tools/sam, ministack in .tools/ministack, checkov
in .tools/checkov, the AWS command line in .tools/awscli, Node.js in .tools/node, MkDocs in .tools/docs, the rest in
.venv. Each of them keeps copies of what it was made from, written last, so that an interrupted set-up is done again.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOOLS = Path(".tools")
UV = TOOLS / "uv" / "bin" / "uv"
VERSION = Path(".python-version")
# Where an environment keeps copies of what it was made from.
MADE_FROM = ".made-from"
ENVIRONMENTS = {
    "local": Path(".venv"),
    "dev": Path(".venv"),
    "sam": TOOLS / "sam",
    "ministack": TOOLS / "ministack",
    "checkov": TOOLS / "checkov",
    "awscli": TOOLS / "awscli",
    "node": TOOLS / "node",
    "docs": TOOLS / "docs",
}


class SetUpError(Exception):
    """Set-up cannot go on; the message is one sentence for the person at the terminal."""


def main(name: str) -> None:
    """Make the environment `name` (local, dev, sam, ministack, checkov, awscli, node, docs or uv) complete.

    Raises SetUpError.
    """
    TOOLS.mkdir(exist_ok=True)
    with _alone():
        if not _is_complete(UV.parents[1], "uv"):
            _fetch_uv()
        if name == "uv":
            return
        home = ENVIRONMENTS[name]
        if not _is_complete(home, name):  # another make may have done it while we waited
            _install(home, name)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the project's lock: `make run` and `make test` may be started together."""
    with (TOOLS / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another make that is setting up ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_complete(home: Path, name: str) -> bool:
    kept = ((home / MADE_FROM / source.name, source) for source in (_requirements(name), VERSION))
    return all(copy.is_file() and copy.read_bytes() == source.read_bytes() for copy, source in kept)


def _mark_complete(home: Path, *names: str) -> None:
    (home / MADE_FROM).mkdir(exist_ok=True)
    for source in (*map(_requirements, names), VERSION):
        shutil.copyfile(source, home / MADE_FROM / source.name)


def _requirements(name: str) -> Path:
    return Path("requirements") / f"{name}.txt"


def _fetch_uv() -> None:
    """Install the pinned uv by whatever installer this machine has."""
    _say("fetching uv, the installer, into .tools ...")
    home = UV.parents[1]
    shutil.rmtree(home, ignore_errors=True)
    arguments = ["install", "--quiet", "--target", str(home), "--require-hashes", "-r", str(_requirements("uv"))]
    if _run(*_installer(), *arguments) != 0 or not UV.is_file():
        raise SetUpError("uv could not be installed (see above); is the package index reachable?")
    _mark_complete(home, "uv")


def _installer() -> list[str]:
    """Return a command that takes pip's arguments."""
    if _works(sys.executable, "-m", "pip", "--version"):
        return [sys.executable, "-m", "pip"]
    # Debian's Python comes without pip, and with venv or virtualenv only where somebody installed them.
    home = TOOLS / "pip"
    in_home = [str(home / "bin" / "python"), "-m", "pip"]
    for maker in ([sys.executable, "-m", "venv"], ["virtualenv", "--quiet"]):
        if _works(*maker, "--clear", str(home)) and _works(*in_home, "--version"):
            return in_home
    for program in ("pip3", "pip"):
        if _works(program, "--version"):
            return [program]
    if _works("uv", "--version"):
        return ["uv", "pip"]
    raise SetUpError(
        f"{sys.executable} has neither pip nor venv: install one of them"
        " (on Debian and Ubuntu: sudo apt-get install python3-venv) and run make again."
    )


def _install(home: Path, name: str) -> None:
    version = VERSION.read_text(encoding="utf-8").strip()
    if not _has_python(home, version):
        interpreter = _find_python(version) or _fetch_python(version)
        _say(f"making the environment {home} ...")
        if _run(str(UV), "venv", "--quiet", "--clear", "--no-project", "--python", interpreter, str(home)) != 0:
            raise SetUpError(f"the environment {home} could not be made (see above).")
    _say(f"installing {_requirements(name)} into {home}; this is done once ...")
    if name == "local":
        # What only `dev` has may stay, but it no longer counts as complete.
        (home / MADE_FROM / "dev.txt").unlink(missing_ok=True)
    how = "install" if name == "local" else "sync"
    arguments = ["--quiet", "--require-hashes", "--python", str(home / "bin" / "python")]
    requirements = ["-r"] if how == "install" else []
    if _run(str(UV), "pip", how, *arguments, *requirements, str(_requirements(name))) != 0:
        raise SetUpError(f"{_requirements(name)} could not be installed (see above); is the package index reachable?")
    # The development requirements hold the local ones, in the same versions.
    _mark_complete(home, *(("dev", "local") if name == "dev" else (name,)))


def _has_python(home: Path, version: str) -> bool:
    python = home / "bin" / "python"
    return _works(str(python), "-c", f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != {version!r})")


def _find_python(version: str) -> str | None:
    """Return an interpreter of the version that this machine has already."""
    found = subprocess.run(
        [str(UV), "python", "find", "--system", "--no-project", version],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if found.returncode == 0:
        return found.stdout.strip()
    # uv looks on the PATH, where pyenv shows only the versions that are switched on.
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    for folder in (pyenv / "versions", TOOLS / "python"):
        for python in sorted(folder.glob(f"*{version}*/bin/python{version}")):
            if _works(str(python), "--version"):
                return str(python.absolute())
    return None


def _fetch_python(version: str) -> str:
    _say(f"fetching CPython {version}, which Lambda runs and this machine lacks, into .tools ...")
    folder = str(TOOLS / "python")
    fetched = _run(str(UV), "python", "install", "--no-bin", "--install-dir", folder, version)
    python = _find_python(version) if fetched == 0 else None
    if python is None:
        raise SetUpError(
            f"CPython {version} is not on this machine and could not be fetched (see above);"
            " install it by your system's means or with pyenv, and run make again."
        )
    return python


def _works(*command: str) -> bool:
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _run(*command: str) -> int:
    return subprocess.run(command, check=False).returncode


def _say(sentence: str) -> None:
    print(f"brokerlink: {sentence}", file=sys.stderr, flush=True)


def _clean_environment() -> None:
    """Take away the settings of the caller's shell that would send an installation elsewhere or refuse it."""
    for name in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET"):
        os.environ.pop(name, None)
    # Advice about the system's pip, which is not ours to change.
    os.environ.update(PIP_ROOT_USER_ACTION="ignore", PIP_DISABLE_PIP_VERSION_CHECK="1")


if __name__ == "__main__":
    _clean_environment()
    try:
        main(sys.argv[1])
    except SetUpError as problem:
        _say(str(problem))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
