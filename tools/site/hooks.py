"""MkDocs' hooks (mkdocs.yml names them): documents and files outside docs/ become pages, and links lead there.

Runs in MkDocs' own environment, from the project's folder. What is decided is in `tools.site.pages`.
"""

from itertools import chain

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.site.pages import ELSEWHERE, PROJECT, RAW, SHOWN, files_shown_by, page_showing, rewritten, with_folders


def on_config(config: MkDocsConfig) -> None:
    """Put the pages of whole folders into the navigation."""
    config.nav = with_folders(config.nav)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of documents and files outside docs/."""
    for path, uri in ELSEWHERE.items():
        files.append(File.generated(config, uri, content=(PROJECT / path).read_text(encoding="utf-8")))
    linked = [files_shown_by(page.content_string, page.src_uri) for page in files.documentation_pages()]
    for path in sorted(set(chain.from_iterable(linked))):
        files.append(File.generated(config, f"{SHOWN}/{path}.md", content=page_showing(path)))
        files.append(File.generated(config, f"{RAW}/{path}", abs_src_path=str(PROJECT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Write a page for the site; MkDocs then checks its links (`--strict`)."""
    return rewritten(markdown, page.file.src_uri)
