"""What `make build` made, as Lambda runs it: zipped by `sam package`, unzipped in its places, under awslambdaric.

Lambda unzips a function below /var/task and all its layers below /opt, read-only, and imports from the first, then
from the second, then from the runtime (https://docs.aws.amazon.com/lambda/latest/dg/python-package.html). Here those
places are folders below one that the caller gives, and the runtime is a Python with awslambdaric and nothing else.
"""

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from local.aws import REGION, isolated_session, worker_environment
from local.emulator import Emulator
from local.errors import LocalStackError
from local.execution import Function
from local.template import read_source

SAM = Path(__file__).parent.parent / ".tools" / "sam" / "bin" / "python"
# AWS's runtime client, and what it needs.
_RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")
_BUCKET = "code"
_IMPORT_ROOTS = (f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages", "python")


@dataclass(frozen=True)
class Packaged:
    """The zips of a build's functions and layers, as uploaded, by logical id; the layers in the template's order."""

    functions: Mapping[str, Path]
    layers: Mapping[str, Path]


@dataclass(frozen=True)
class Layout:
    """Folders in the place of Lambda's: `opt`, each function's `/var/task`, and the runtime's Python."""

    opt: Path
    tasks: Mapping[str, Path]
    python: Path

    def in_lambda(self, function: Function) -> Function:
        """Give the function as Lambda starts it, from its artifact; one that has no artifact here, unchanged."""
        if function.name not in self.tasks:
            return function
        return replace(
            function,
            code_dir=self.tasks[function.name],
            layers=tuple(self.opt / root for root in _IMPORT_ROOTS),
            # The template asks for LogFormat JSON: this is how a function's process learns of it.
            environment={**function.environment, "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"},
            command=(str(self.python), "-m", "awslambdaric", function.handler),
        )


def package(build: Path, emulator: Emulator, folder: Path) -> Packaged:
    """Have `sam package` zip a build's artifacts and upload them to the emulator; give the zips, kept in a new folder.

    Raises LocalStackError where SAM does not do it.
    """
    folder.mkdir()
    s3 = isolated_session().client("s3", endpoint_url=emulator.url)
    s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    packaged = folder / "template.yaml"
    paths = ("--template-file", str(build / "template.yaml"), "--output-template-file", str(packaged))
    done = subprocess.run(
        [str(SAM), "-m", "samcli", "package", "--s3-bucket", _BUCKET, *paths],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            **worker_environment(emulator.url),
            "SAM_CLI_TELEMETRY": "0",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalStackError(f"sam package failed: {done.stderr.strip()}")
    zips: dict[str, dict[str, Path]] = {"CodeUri": {}, "ContentUri": {}}
    for name, resource in read_source(packaged)["Resources"].items():
        for setting, found in zips.items():
            location = resource.get("Properties", {}).get(setting)
            if location is not None:
                found[name] = folder / f"{name}.zip"
                s3.download_file(_BUCKET, location.removeprefix(f"s3://{_BUCKET}/"), str(found[name]))
    return Packaged(functions=zips["CodeUri"], layers=zips["ContentUri"])


def lay_out(packaged: Packaged, folder: Path) -> Layout:
    """Unzip everything below a folder, read-only, and put the runtime beside it."""
    opt = folder / "opt"
    for layer in packaged.layers.values():
        _unzip(layer, opt)
    tasks = {name: folder / name / "var" / "task" for name in packaged.functions}
    for name, function in packaged.functions.items():
        _unzip(function, tasks[name])
    for place in (opt, *tasks.values()):
        _make_read_only(place)
    return Layout(opt, tasks, _make_runtime(folder / "lang"))


def _unzip(file: Path, folder: Path) -> None:
    with zipfile.ZipFile(file) as zipped:
        zipped.extractall(folder)


def _make_read_only(folder: Path) -> None:
    for place, _, files in folder.walk(top_down=False):
        for name in files:
            (place / name).chmod(0o444)
        place.chmod(0o555)


def make_removable(folder: Path) -> None:
    """Undo read-only, so that the folder can be removed."""
    for place, _, _ in folder.walk():
        place.chmod(0o755)


def _make_runtime(home: Path) -> Path:
    """Make a Python that has the runtime client in its site-packages, and nothing else."""
    venv.EnvBuilder(symlinks=True).create(home)
    site = next(home.glob("lib/python*/site-packages"))
    for name in _RUNTIME:
        for file in metadata.files(name) or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), site / file)
    compileall.compile_dir(site, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return home / "bin" / "python"
