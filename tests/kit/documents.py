"""The documents as tests read them: blocks that are marked as tested, sections and tables."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def block(document: str, name: str) -> str:
    """Give the fenced block, also an indented one, that follows the mark `<!-- tested: name -->` in a document."""
    found = re.search(
        rf"^( *)<!-- tested: {re.escape(name)} -->\n(?:\1\n)*\1```\w*\n(.*?)^\1```",
        (PROJECT / document).read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert found, f"{document} has no block {name}"
    return "\n".join(line.removeprefix(found[1]) for line in found[2].split("\n"))


def sections(document: str) -> dict[str, str]:
    """Give the text below each heading of the second level."""
    parts = re.split(r"^## (.*)\n", (PROJECT / document).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(text: str, head: str) -> dict[str, str]:
    """Give the first column's names, which are in backticks, with the rest of their row; of the table headed `head`."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\|\n((?:\|.*\n)*)", text, re.MULTILINE)
    rows = [row.strip("| ").partition(" | ") for row in found[1].splitlines()] if found else []
    return {name: rest for names, _, rest in rows for name in re.findall(r"`([^`]+)`", names)}
