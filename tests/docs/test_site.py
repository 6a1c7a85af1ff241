"""The documentation's site: its pages fetch nothing from elsewhere, and a link that leads nowhere fails its build."""

from __future__ import annotations

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.kit.documents import PROJECT
from tools.site.pages import files_shown_by, page_showing, rewritten, with_folders

PYTHON = PROJECT / ".tools" / "docs" / "bin" / "python"
# What a browser fetches by itself, by tag; a link that somebody has to click is none.
_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [PYTHON, "-m", "mkdocs", "build", "--strict", "--site-dir", folder, *options]
    return subprocess.run(  # noqa: S603 - this project's own site
        command,
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Fetched(HTMLParser):
    """Collects what a page makes a browser fetch."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag in _FETCHED and named.get("rel") not in {"prev", "next", "canonical"}:
            self.found.add(named.get(_FETCHED[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    fetched = {(page, each) for page in pages for each in Fetched(page).found}
    assert not [each for _, each in fetched if re.match(r"(\w+:)?//", each)]
    missing = {
        each
        for page, each in fetched
        if each and not ((site / each[1:]) if each.startswith("/") else page.parent / each.partition("#")[0]).exists()
    }
    assert not missing
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert not re.search(r"@import|url\(['\"]?(https?:)?//", styles)


def test_every_document_is_a_page(site: Path) -> None:
    for document in (PROJECT / "docs").rglob("*.md"):
        name = document.relative_to(PROJECT / "docs").with_suffix("")
        folder = name.parent if name.name in {"README", "index"} else name
        assert (site / folder / "index.html").is_file(), document


def test_links_that_lead_nowhere_fail_the_build(tmp_path: Path) -> None:
    links = ("nowhere.md", "events.md#no-such-part", "../CHANGELOG.md#no-such-version", "/absolute.md", "../nowhere")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n" + "".join(f"[x]({link})\n" for link in links))
    (tmp_path / "docs" / "events.md").write_text("# Events\n")
    settings = {
        "INHERIT": str(PROJECT / "mkdocs.yml"),
        "docs_dir": "docs",
        "hooks": [str(PROJECT / "tools" / "site" / "hooks.py")],
        "nav": [{"Home": "index.md"}, {"Events": "events.md"}],
        "plugins": [],
        "validation": {"nav": {"omitted_files": "ignore"}},
    }
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(settings))
    done = build(tmp_path / "site", "--config-file", str(tmp_path / "mkdocs.yml"))
    assert done.returncode == 1
    complaints = [line for line in done.stderr.splitlines() if line.startswith("WARNING") and "'index.md'" in line]
    assert len(complaints) == len(links), done.stderr


LINKS = [
    ("http-api.md", "[a](events.md#the-message)", "[a](events.md#the-message)"),
    ("http-api.md", "[a](../CHANGELOG.md)", "[a](changelog.md)"),
    ("decisions/README.md", "[a](../../examples/consumer/README.md)", "[a](../examples/consumer.md)"),
    ("examples/consumer.md", "[a](../../docs/reader.md#install)", "[a](../reader.md#install)"),
    ("contributing.md", "[a](docs/decisions/README.md) [b](LICENSE)", "[a](decisions/README.md) [b](files/LICENSE.md)"),
    ("events.md", "[a](../contracts/openapi.yaml)", "[a](files/contracts/openapi.yaml.md)"),
    ("engines.md", "in [tests/engines](../tests/engines), too", "in tests/engines, too"),
    ("events.md", "in [reader.md](reader.md#install)", "in [Reading tokens](reader.md#install)"),
    ("changelog.md", "in [docs/security.md](docs/security.md)", "in [Security](security.md)"),
    ("events.md", "in [budgets.toml](../bench/budgets.toml)", "in [budgets.toml](files/bench/budgets.toml.md)"),
    ("events.md", "[a](https://semver.org/) <https://b.example/>", "[a](https://semver.org/) <https://b.example/>"),
    ("events.md", "```text\n[a](../CHANGELOG.md)\n```", "```text\n[a](../CHANGELOG.md)\n```"),
]


@pytest.mark.parametrize(("uri", "written", "page"), LINKS)
def test_links_lead_to_where_their_targets_are_on_the_site(uri: str, written: str, page: str) -> None:
    assert rewritten(written, uri) == page


def test_folder_in_the_navigation_is_what_is_in_it() -> None:
    records = sorted(f"decisions/{path.name}" for path in (PROJECT / "docs" / "decisions").glob("[0-9]*.md"))
    expanded = with_folders([{"Inside": ["engines.md", {"Decisions": "decisions/"}]}])
    assert expanded == [{"Inside": ["engines.md", {"Decisions": ["decisions/README.md", *records]}]}]


def test_what_stands_in_a_numbered_list_stays_in_it() -> None:
    written = "1. a\n\n   ```sh\n   b \\\n     c\n   ```\n\n2. d\n\ne\n\n   f"
    assert rewritten(written, "x.md") == "1. a\n\n    ```sh\n    b \\\n      c\n    ```\n\n2. d\n\ne\n\n   f"


def test_file_that_is_linked_to_is_shown_with_a_link_to_itself() -> None:
    assert files_shown_by("[a](../bench/budgets.toml) [b](events.md) [c](../tests/docs)", "x.md") == [
        "bench/budgets.toml"
    ]
    assert (
        page_showing("bench/budgets.toml")
        .removeprefix("---\nsearch: { exclude: true }\n---\n\n")
        .startswith("# bench/budgets.toml\n\n[Download](../../raw/bench/budgets.toml)\n\n````toml\n")
    )
