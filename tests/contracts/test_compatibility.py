"""What was released is never broken; and the comparison that says so notices each kind of break, and no more."""

from __future__ import annotations

import copy
import json
import re
import shutil
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.contracts.changes import BREAKS, HARMLESS, Change, Json
from tests.kit.contract import CONTRACTS
from tools.command import Failure
from tools.compatibility import events, http_api
from tools.compatibility.schemas import Comparison, Document, UnknownKeyword
from tools.freeze import checksums, contract_files, freeze

PROJECT = CONTRACTS.parent
RELEASED = CONTRACTS / "released"
VERSION = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
SAME_MAJOR = sorted(path for path in RELEASED.glob("*/") if path.name.partition(".")[0] == VERSION.partition(".")[0])


@cache
def load(path: Path) -> Json:
    read: Json = json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())
    return read


def breaking(file: str, old: Json, new: Json) -> list[str]:
    compare = {"openapi.yaml": http_api.breaking_changes, "asyncapi.yaml": events.breaking_changes}
    return compare.get(file, events.breaking_schema_changes)(old, new)


# ---------------------------------------------------------------- what was released


@pytest.mark.parametrize("release", SAME_MAJOR, ids=lambda path: str(path.name))
def test_contracts_keep_what_was_released(release: Path) -> None:
    for file in contract_files(release):
        assert (CONTRACTS / file.name).is_file(), f"{file.name} is gone"
        assert breaking(file.name, load(file), load(CONTRACTS / file.name)) == []


def test_released_files_are_never_changed() -> None:
    assert SAME_MAJOR
    assert (RELEASED / "SHA256SUMS").read_text() == checksums(RELEASED)


def test_a_changed_contract_has_a_version_of_its_own() -> None:
    if (RELEASED / VERSION).exists():
        released = {file.name: file.read_text() for file in contract_files(RELEASED / VERSION)}
        assert {file.name: file.read_text() for file in contract_files(CONTRACTS)} == released


def test_every_release_is_in_the_changelog_and_frozen() -> None:
    headings = re.findall(r"^## \[(\S+)\]", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert set(headings[1:]) == {path.name for path in RELEASED.glob("*/")}


def test_a_version_is_frozen_once(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    (tmp_path / "contracts").mkdir()
    for file in contract_files(CONTRACTS):
        shutil.copy(file, tmp_path / "contracts")
    home = freeze(tmp_path)
    assert home.name == VERSION
    assert [file.read_text() for file in contract_files(home)] == [
        file.read_text() for file in contract_files(CONTRACTS)
    ]
    assert (home.parent / "SHA256SUMS").read_text() == checksums(home.parent)
    with pytest.raises(Failure, match=re.escape(VERSION)):
        freeze(tmp_path)


# ---------------------------------------------------------------- the comparison


def changed(file: str, change: Change) -> list[str]:
    """Give what the comparison says of a change to a contract as it is."""
    old = load(CONTRACTS / file)
    new = copy.deepcopy(old)
    change(new)
    assert new != old
    return breaking(file, old, new)


@pytest.mark.parametrize("name", BREAKS)
def test_break_is_told(name: str) -> None:
    change, told = BREAKS[name]
    found = changed(name.partition(":")[0], change)
    assert any(told in each for each in found), found


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_change_passes(name: str) -> None:
    assert changed(name.partition(":")[0], HARMLESS[name]) == []


def test_keyword_that_is_not_compared_is_an_error() -> None:
    compare = Comparison(Document({}), Document({}))
    with pytest.raises(UnknownKeyword, match="where: patternProperties"):
        list(compare.of_input({"type": "object"}, {"type": "object", "patternProperties": {}}, "where"))
