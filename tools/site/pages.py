"""Documents that are written for GitHub, as pages of a site.

On GitHub a page may link to any file of the repository. A site has pages for docs/ alone. So here

- the documents of `ELSEWHERE`, which stand beside what they describe, become pages too;
- any other file that a page links to becomes a page that shows it, with the file itself to download;
- a link to a folder becomes its text;
- a link whose text is the name of a document has its title for a text.

A path is one in the repository, a uri one in the site's sources.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

PROJECT = Path(__file__).parents[2]
ELSEWHERE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "contracts/README.md": "contracts.md",
    "examples/README.md": "examples/index.md",
    "examples/consumer/README.md": "examples/consumer.md",
    "examples/strategies/README.md": "examples/strategies.md",
    "examples/typescript/README.md": "examples/typescript.md",
}
# Where the pages are that show a file, and the files themselves.
SHOWN, RAW = "files", "raw"

# mkdocs.yml's: a page, a titled one or section, or a list of such.
type Nav = str | dict[str, Nav] | list[Nav]

# The repository's front page, which the site has one of its own for, is no page of it.
_PAGES = ELSEWHERE | {"README.md": "index.md"}
_DOCS = "docs/"
_FENCE = re.compile(r" *```")
_LINK = re.compile(r"(?P<text>\[[^\]]*\])\((?P<target>[^)\s#:/][^)\s#:]*)(?P<anchor>#[^)\s]*)?\)")
_NUMBERED = re.compile(r"\d+\. ")
_NOT_SEARCHED = "---\nsearch: { exclude: true }\n---\n\n"
_LANGUAGES = {".py": "python", ".ts": "ts", ".json": "json", ".yaml": "yaml", ".toml": "toml"}


def with_folders(nav: Nav) -> Nav:
    """Give a navigation in which each folder, such as `decisions/`, is what is in it: first its README."""
    if isinstance(nav, str):
        pages = sorted((PROJECT / _DOCS / nav).glob("*.md"), key=lambda page: (page.name != "README.md", page.name))
        return [f"{nav}{page.name}" for page in pages] if nav.endswith("/") else nav
    if isinstance(nav, dict):
        return {title: with_folders(below) for title, below in nav.items()}
    return [with_folders(below) for below in nav]


def files_shown_by(markdown: str, uri: str) -> list[str]:
    """Give the paths of the files that a page links to and that are no pages themselves."""
    found = []
    for line, is_code in _lines(markdown):
        for link in () if is_code else _LINK.finditer(line):
            path = _path(link["target"], uri)
            if _page(path) == f"{SHOWN}/{path}.md":
                found.append(path)
    return found


def page_showing(path: str) -> str:
    """Write the page that shows a file."""
    text = (PROJECT / path).read_text(encoding="utf-8").rstrip()
    file = PurePosixPath(path)
    language = _LANGUAGES.get(file.suffix, "text")
    download = relpath(f"{RAW}/{path}", f"{SHOWN}/{file.parent}")
    return f"{_NOT_SEARCHED}# {path}\n\n[Download]({download})\n\n````{language}\n{text}\n````\n"


def rewritten(markdown: str, uri: str) -> str:
    """Write a page for the site: its links lead to where their targets are there, and its lists hold together."""
    if uri.startswith(f"{SHOWN}/"):
        return markdown
    lines = (line if is_code else _relinked(line, uri) for line, is_code in _lines(markdown))
    return "\n".join(_indented(lines))


def _relinked(line: str, uri: str) -> str:
    def change(link: re.Match[str]) -> str:
        path = _path(link["target"], uri)
        page = _page(path)
        if page is None:
            # What does not exist is left for MkDocs to complain about.
            return link["text"][1:-1] if (PROJECT / path).is_dir() else link[0]
        is_named = link["text"][1:-1] in {link["target"], PurePosixPath(path).name}
        text = f"[{title}]" if is_named and (title := _title(path)) else link["text"]
        return f"{text}({relpath(page, PurePosixPath(uri).parent)}{link['anchor'] or ''})"

    return _LINK.sub(change, line)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    """Indent what stands in a numbered list by one more: GitHub wants three columns there, Python-Markdown four."""
    inside = False
    for line in lines:
        deep = line.startswith("   ")
        inside = bool(_NUMBERED.match(line)) or (inside and (deep or not line))
        yield f" {line}" if inside and deep else line


def _path(target: str, uri: str) -> str:
    """Give the path that a link of a page means."""
    source = {page: path for path, page in ELSEWHERE.items()}.get(uri, _DOCS + uri)
    return normpath(PurePosixPath(source).parent / target)


def _page(path: str) -> str | None:
    """Give the uri of the page for a path; None for a folder, and for what does not exist."""
    if path.startswith(_DOCS):
        return path.removeprefix(_DOCS)
    return _PAGES.get(path) or (f"{SHOWN}/{path}.md" if (PROJECT / path).is_file() else None)


def _title(path: str) -> str | None:
    """Give the title of a document; None for any other file, and for what does not exist."""
    document = PROJECT / path
    if document.suffix != ".md" or not document.is_file():
        return None
    return document.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def _lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Give each line, and whether it is code."""
    code = False
    for line in markdown.split("\n"):
        fence = bool(_FENCE.match(line))
        yield line, code or fence
        code ^= fence
