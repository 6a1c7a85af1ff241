"""The documentation's site: its pages fetch nothing from elsewhere, and a link that leads nowhere fails its build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.kit.documents import DOCUMENTS, PROJECT
from tools.site.pages import files_shown_by, page_showing, rewritten, with_folders

PYTHON = PROJECT / ".tools" / "docs" / "bin" / "python"
# What a browser fetches by itself, by tag; a link that somebody has to click is none.
_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


@dataclass(frozen=True)
class Built:
    """What MkDocs made, and what it said."""

    folder: Path
    returncode: int
    said: str


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


# None of them leads anywhere.
BROKEN = ("nowhere.md", "events.md#no-such-part", "../CHANGELOG.md#no-such-version", "/absolute.md", "../nowhere")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A site as the real one is made, which `make check` builds whole, of other documents in docs/."""
    folder = tmp_path_factory.mktemp("site")
    docs = folder / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# Home\n\n" + "".join(f"[x]({link})\n" for link in BROKEN))
    (docs / "events.md").write_text("# Events\n\n[the file](../bench/budgets.toml)\n")
    for name in ("site.css", "favicon.svg"):
        shutil.copy(PROJECT / "docs" / name, docs)
    settings = {
        "INHERIT": str(PROJECT / "mkdocs.yml"),
        "docs_dir": "docs",
        "hooks": [str(PROJECT / "tools" / "site" / "hooks.py")],
        "nav": [{"Home": "index.md"}, {"Events": "events.md"}],
        "validation": {"nav": {"omitted_files": "ignore"}},
    }
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(settings))
    command: list[str | Path] = [PYTHON, "-m", "mkdocs", "build", "--strict", "--config-file", folder / "mkdocs.yml"]
    done = subprocess.run(  # noqa: S603 - this project's own site
        [*command, "--site-dir", folder / "built"],
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Built(folder / "built", done.returncode, done.stderr)


def test_links_that_lead_nowhere_fail_the_build(built: Built) -> None:
    assert built.returncode == 1
    complaints = [line for line in built.said.splitlines() if line.startswith("WARNING") and "'index.md'" in line]
    assert len(complaints) == len(BROKEN), built.said


def test_pages_fetch_nothing_from_elsewhere(built: Built) -> None:
    pages = list(built.folder.rglob("*.html"))
    assert {built.folder / name / "index.html" for name in ("", "events", "changelog", "files/bench/budgets.toml")} < {
        *pages
    }
    fetched = {(page, each) for page in pages for each in Fetched(page).found}
    assert not [each for _, each in fetched if re.match(r"(\w+:)?//", each)]
    files = {built.folder / each[1:] if each.startswith("/") else page.parent / each for page, each in fetched}
    assert not [file for file in files if not file.exists()]
    styles = "".join(path.read_text() for path in built.folder.rglob("*.css"))
    assert not re.search(r"@import|url\(['\"]?(https?:)?//", styles)


def test_documents_show_no_image_from_elsewhere() -> None:
    assert not [path for path in DOCUMENTS if re.search(r"!\[[^\]]*\]\(\w+:|<img", path.read_text())]


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
