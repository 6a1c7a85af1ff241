"""The release's digest: any change of what reaches the functions changes it, and nothing else does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.release import digest

PARAMETERS = {"ReturnTo": "", "BrokerApps": "{}"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name in ("template.yaml", "A/a.py", "A/b.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path


def test_same_content_has_the_same_digest_whatever_its_times(built: Path) -> None:
    before = digest(built, PARAMETERS)
    os.utime(built / "A" / "a.py", (0, 0))
    assert digest(built, dict(reversed(PARAMETERS.items()))) == before
    assert len(before) == 64


def test_every_change_changes_it(built: Path) -> None:
    seen = {digest(built, PARAMETERS), digest(built, PARAMETERS | {"ReturnTo": "https://a.example/"})}
    (built / "A" / "a.py").write_text("other", encoding="utf-8")
    seen.add(digest(built, PARAMETERS))
    (built / "A" / "b.py").rename(built / "A" / "c.py")
    seen.add(digest(built, PARAMETERS))
    (built / "template.yaml").write_text("other", encoding="utf-8")
    seen.add(digest(built, PARAMETERS))
    assert len(seen) == 5


def test_content_cannot_move_between_files_unseen(tmp_path: Path) -> None:
    one, other = tmp_path / "1", tmp_path / "2"
    for folder, a, b in ((one, "xy", "z"), (other, "x", "yz")):
        folder.mkdir()
        (folder / "a").write_text(a)
        (folder / "b").write_text(b)
    assert digest(one, {}) != digest(other, {})
