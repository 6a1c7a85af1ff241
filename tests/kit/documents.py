"""The documents as tests read them: fenced blocks with what is said of them, sections and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path for where in ("*.md", "contracts/*.md", "docs/**/*.md", "examples/**/*.md") for path in PROJECT.glob(where)
)
_BLOCK = re.compile(r"^( *)(?:<!-- ([^\n]*) -->\n\n?\1)?```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the comment right above it, and what is in it."""

    document: str
    language: str
    mark: str
    text: str


def blocks(document: str) -> Iterator[Block]:
    """Give the fenced blocks of a document, also indented ones."""
    for indent, mark, language, text in _BLOCK.findall((PROJECT / document).read_text(encoding="utf-8")):
        lines = [line.removeprefix(indent) for line in text.split("\n")]
        yield Block(document, language, mark, "\n".join(lines))


def block(document: str, name: str) -> str:
    """Give the fenced block that follows the mark `<!-- tested: name -->` in a document."""
    found = [each.text for each in blocks(document) if each.mark == f"tested: {name}"]
    assert found, f"{document} has no block {name}"
    return found[0]


def sections(document: str) -> dict[str, str]:
    """Give the text below each heading of the second level."""
    parts = re.split(r"^## (.*)\n", (PROJECT / document).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(text: str, head: str) -> dict[str, str]:
    """Give the first column's names, which are in backticks, with the rest of their row; of the table headed `head`."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\|\n((?:\|.*\n)*)", text, re.MULTILINE)
    rows = [row.strip("| ").partition(" | ") for row in found[1].splitlines()] if found else []
    return {name: rest for names, _, rest in rows for name in re.findall(r"`([^`]+)`", names)}
