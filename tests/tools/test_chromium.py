"""Which Chromium the browser tests get."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import chromium

# Stands in for Playwright: puts a program where a real download has it, or fails.
_PLAYWRIGHT = """
import os, pathlib, sys
assert sys.argv[1:] == ["install", "--no-shell", "chromium"], sys.argv
program = pathlib.Path(os.environ["PLAYWRIGHT_BROWSERS_PATH"]) / "chromium-1234" / "chrome-linux64" / "chrome"
program.parent.mkdir(parents=True)
program.write_text("#!/bin/sh\\nexit {starts}\\n")
program.chmod(0o755)
sys.exit({exits})
"""


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no browser and nothing downloaded; gives the folder that is its PATH."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(chromium, "_APPLICATIONS", ())
    monkeypatch.setattr(chromium, "_DOWNLOADS", tmp_path / "browsers")
    return path


def _program(path: Path) -> str:
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def _playwright(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exits: int = 0, starts: int = 0) -> None:
    package = tmp_path / "playwright"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(_PLAYWRIGHT.format(exits=exits, starts=starts), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    # The stand-in browser is a shell script.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(chromium, "_PROGRAMS", ())


def test_there_may_be_none() -> None:
    assert chromium.find() is None


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_an_installed_one_is_found(bare_machine: Path, name: str) -> None:
    installed = _program(bare_machine / name)
    assert chromium.find() == installed


def test_an_application_of_macos_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    application = _program(tmp_path / "Google Chrome")
    monkeypatch.setattr(chromium, "_APPLICATIONS", (application,))
    assert chromium.find() == application


def test_the_variable_goes_first(bare_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(bare_machine / "chromium")
    mine = _program(tmp_path / "mine")
    monkeypatch.setenv("CHROMIUM", mine)
    assert chromium.find() == mine


def test_a_variable_that_names_nothing_is_not_passed_over(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(bare_machine / "chromium")
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(FileNotFoundError, match="CHROMIUM"):
        chromium.find()


def test_one_is_downloaded_where_none_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _playwright(tmp_path, monkeypatch)
    chromium.main()
    assert chromium.find() == str(tmp_path / "browsers" / "chromium-1234" / "chrome-linux64" / "chrome")


@pytest.mark.parametrize("failure", [{"exits": 1}, {"starts": 127}])
def test_a_download_that_fails_leaves_a_sentence(
    failure: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _playwright(tmp_path, monkeypatch, **failure)
    chromium.main()
    assert chromium.find() is None
    assert "will be skipped" in capsys.readouterr().err


def test_ci_downloads_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _playwright(tmp_path, monkeypatch)
    monkeypatch.setenv("CI", "true")
    chromium.main()
    assert chromium.find() is None
    assert "will fail" in capsys.readouterr().err
