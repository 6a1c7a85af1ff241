"""Folders and zips as values that can be compared."""

from __future__ import annotations

import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTIONS = {
    "AuthorizeFunction": "functions/authorize",
    "CallbackFunction": "functions/callback",
    "AnnounceFunction": "functions/announce",
    "ConnectionsFunction": "functions/connections",
    "RemindFunction": "functions/remind",
}
LAYERS = ("DependenciesLayer", "BrokerlinkLayer")
ARTIFACTS = (*FUNCTIONS, *LAYERS)
# What Lambda refuses above: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_UNZIPPED = 250 * 1024 * 1024

# A file's mode and its bytes, by its path.
type Tree = dict[str, tuple[int, bytes]]


def read_folder(folder: Path) -> Tree:
    """Read every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def read_zip(file: Path) -> Tree:
    """Read every entry of a zip; its mode is what Lambda gives the file."""
    with zipfile.ZipFile(file) as zipped:
        return {entry.filename: (entry.external_attr >> 16, zipped.read(entry)) for entry in zipped.infolist()}
