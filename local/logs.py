"""The functions' log lines: all of them into files, the few that a person wants to see onto the terminal."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from local.delivery import Report

_SHOWN_LEVELS = frozenset({"ERROR", "CRITICAL"})
# How the Lambda runtime itself reports a function that failed or ran out of time.
_RUNTIME_ERRORS = ("[ERROR]", "Task timed out")


class Logs:
    """A folder with one file per writer, holding this run's lines as JSON, one a line."""

    def __init__(self, folder: Path, report: Report) -> None:
        self._folder = folder
        self._report = report
        folder.mkdir(parents=True, exist_ok=True)

    def writer(self, name: str, *, prints: bool = False) -> Callable[[str], None]:
        """Make a sink for one writer's lines, callable from any thread.

        Errors are shown on the terminal too, in short; plain lines are shown if the writer `prints` for people.
        """
        path = self._folder / f"{name}.jsonl"
        path.write_text("", encoding="utf-8")
        lock = Lock()

        def write(line: str) -> None:
            entry = _entry(line)
            with lock, path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            if shown := _shown(entry, line, prints=prints):
                self._report(f"{name:<9} {shown}")

        return write


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {"message": line}
    return entry if isinstance(entry, dict) else {"message": line}


def _shown(entry: dict[str, Any], line: str, *, prints: bool) -> str:
    if entry.get("level") in _SHOWN_LEVELS:
        return f"{entry['level']}: {entry.get('message', '')}"
    plain = entry == {"message": line}
    return line if plain and (prints or any(mark in line for mark in _RUNTIME_ERRORS)) else ""
