"""The documents as tests read them: blocks that are marked as tested, sections and tables."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def block(document: str, name: str) -> str:
    """Give the fenced block that follows the mark `name`."""
    found = re.search(
        rf"<!-- tested: {re.escape(name)} -->\n```\w*\n(.*?)```", (PROJECT / document).read_text(), re.DOTALL
    )
    assert found, f"{document} has no block {name}"
    return found[1]


def sections(document: str) -> dict[str, str]:
    """Give the text below each heading of the second level."""
    parts = re.split(r"^## (.*)\n", (PROJECT / document).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(text: str, head: str) -> dict[str, str]:
    """Give the first column's names, which are in backticks, with the rest of their row; of the table headed `head`."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\|\n((?:\|.*\n)*)", text, re.MULTILINE)
    rows = [row.strip("| ").partition(" | ") for row in found[1].splitlines()] if found else []
    return {name: rest for names, _, rest in rows for name in re.findall(r"`([^`]+)`", names)}
