"""A second build gives the same bytes, and so what is uploaded is the same too."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.artifact.trees import ARTIFACTS, read_folder, read_zip
from tools.artifact import Packaged


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_both_builds_have_the_same_files_modes_and_bytes(builds: tuple[Path, Path], artifact: str) -> None:
    one, another = (read_folder(build / artifact) for build in builds)
    assert one
    assert [name for name in one.keys() | another.keys() if one.get(name) != another.get(name)] == []


def test_both_builds_have_the_same_template(builds: tuple[Path, Path]) -> None:
    one, another = ((build / "template.yaml").read_bytes() for build in builds)
    assert one == another


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_what_is_uploaded_holds_the_files_and_no_time(
    builds: tuple[Path, Path], packaged: Packaged, artifact: str
) -> None:
    file = {**packaged.functions, **packaged.layers}[artifact]
    assert read_zip(file) == read_folder(builds[0] / artifact)
    with zipfile.ZipFile(file) as zipped:
        # The first day that a zip can name: SAM gives it to each entry.
        assert {entry.date_time for entry in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
