"""What is in the artifacts, and what is not."""

from __future__ import annotations

import importlib.util
import re
import stat
from email.parser import BytesHeaderParser
from pathlib import Path, PurePosixPath

import pytest

from tests.artifact.trees import ARTIFACTS, FUNCTIONS, LAYERS, MOST_UNZIPPED, ROOT, Tree, read_folder, read_zip
from tools.artifact import Packaged

MOST_LAYERS_ZIPPED = 8 * 1024 * 1024
_REQUIREMENTS = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
# How an executable or a library begins: on Linux (ELF), macOS (Mach-O, 32 and 64 bits, and for several
# processors) and Windows.
_COMPILED = (b"\x7fELF", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ")
# A pyc's flags: made from the source's hash, which is not to be checked (PEP 552).
_UNCHECKED_HASH = 0b01


@pytest.fixture(scope="session")
def trees(packaged: Packaged) -> dict[str, Tree]:
    return {name: read_zip(file) for name, file in {**packaged.functions, **packaged.layers}.items()}


def test_there_is_an_artifact_for_each_function_and_layer(trees: dict[str, Tree]) -> None:
    assert trees.keys() == set(ARTIFACTS)


@pytest.mark.parametrize("artifact", FUNCTIONS)
def test_a_function_holds_its_folders_modules(trees: dict[str, Tree], artifact: str) -> None:
    assert _sources(trees[artifact]) == _sources(read_folder(ROOT / FUNCTIONS[artifact]))


def test_the_library_holds_all_of_brokerlink(trees: dict[str, Tree]) -> None:
    within = {
        f"python/brokerlink/{name}": text for name, text in _sources(read_folder(ROOT / "layers/brokerlink")).items()
    }
    assert _sources(trees["BrokerlinkLayer"]) == within


@pytest.mark.parametrize("artifact", [*FUNCTIONS, "BrokerlinkLayer"])
def test_ours_holds_modules_and_their_bytecode_alone(trees: dict[str, Tree], artifact: str) -> None:
    assert {PurePosixPath(name).suffix for name in trees[artifact]} - {".typed"} == {".py", ".pyc"}


def test_the_dependencies_are_the_pinned_ones_and_each_pin_has_hashes(trees: dict[str, Tree]) -> None:
    pins = re.findall(r"^(\S+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", _REQUIREMENTS, flags=re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\w", _REQUIREMENTS, flags=re.MULTILINE))
    assert _distributions(trees["DependenciesLayer"]) == {name: version for name, version, _ in pins}


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_no_tests_and_nothing_that_only_the_installer_needs(trees: dict[str, Tree], artifact: str) -> None:
    folders = {part for name in trees[artifact] for part in PurePosixPath(name).parts[:-1]}
    assert folders.isdisjoint({"tests", "test", "bin", "examples", ".git", ".aws-sam"})
    left = {name for name in trees[artifact] if ".dist-info/" in name and not name.endswith("/METADATA")}
    left |= {name for name in trees[artifact] if PurePosixPath(name).suffix in {".pth", ".whl", ".egg-info"}}
    left |= {
        name for name in trees[artifact] if PurePosixPath(name).name in {"Makefile", "conftest.py", "requirements.txt"}
    }
    assert not left


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_nothing_is_compiled_for_a_processor(trees: dict[str, Tree], artifact: str) -> None:
    assert not [name for name, (_, data) in trees[artifact].items() if data.startswith(_COMPILED)]
    assert not [name for name in trees[artifact] if re.search(r"\.(so|pyd|dll|dylib|a)(\.|$)", name)]


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_every_module_has_bytecode_that_lambda_takes_as_it_is(trees: dict[str, Tree], artifact: str) -> None:
    tree = trees[artifact]
    bytecode = {importlib.util.cache_from_source(name) for name in tree if name.endswith(".py")}
    assert bytecode
    assert {name for name in tree if name.endswith(".pyc")} == bytecode
    for name in bytecode:
        source = tree[importlib.util.source_from_cache(name)][1]
        head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
        assert tree[name][1].startswith(head), name


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_tracebacks_name_the_files_by_their_place_in_lambda(
    builds: tuple[Path, Path], trees: dict[str, Tree], artifact: str
) -> None:
    place = "/var/task/" if artifact in FUNCTIONS else "/opt/"
    for name, (_, data) in trees[artifact].items():
        assert str(builds[0].parents[1]).encode() not in data, name
        if name.endswith(".pyc") and trees[artifact][importlib.util.source_from_cache(name)][1]:
            assert (place + importlib.util.source_from_cache(name)).encode() in data, name


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_everyone_may_read_and_nobody_else_write(trees: dict[str, Tree], artifact: str) -> None:
    assert {stat.filemode(mode) for mode, _ in trees[artifact].values()} == {"-rw-r--r--"}


def test_the_artifacts_are_small(packaged: Packaged, trees: dict[str, Tree]) -> None:
    assert sum(packaged.layers[name].stat().st_size for name in LAYERS) <= MOST_LAYERS_ZIPPED
    assert sum(len(data) for tree in trees.values() for _, data in tree.values()) < MOST_UNZIPPED / 10


def _sources(tree: Tree) -> dict[str, bytes]:
    return {name: data for name, (_, data) in tree.items() if name.endswith((".py", ".typed"))}


def _distributions(layer: Tree) -> dict[str, str]:
    """Each distribution's name, as requirements write it, and version."""
    parser = BytesHeaderParser()
    metadata = (parser.parsebytes(data) for name, (_, data) in layer.items() if name.endswith(".dist-info/METADATA"))
    return {re.sub(r"[-_.]+", "-", each["Name"]).lower(): each["Version"] for each in metadata}
