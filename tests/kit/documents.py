"""The commands and snippets of the documents, which tests run as they are written."""

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
