"""The Chromium that the browser tests drive.

`python -m tools.chromium` sees to it that there is one where that is possible without being root, and says so in
a sentence where it is not.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_DOWNLOADS = Path(__file__).resolve().parents[1] / ".tools" / "browsers"
# Where Playwright's downloads have their program, on Linux and on macOS.
_DOWNLOADED = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/Google Chrome for Testing",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/Chromium",
)
_DOWNLOAD_SECONDS = 300


def find() -> str | None:
    """Return the path of a Chromium: the variable CHROMIUM's, an installed one, or a downloaded one.

    Raises FileNotFoundError if CHROMIUM names no program, rather than test another browser than was asked for.
    """
    if wanted := os.environ.get("CHROMIUM"):
        program = shutil.which(wanted)
        if program is None:
            raise FileNotFoundError(f"CHROMIUM is {wanted}, which is no program.")
        return program
    for name in (*_PROGRAMS, *_APPLICATIONS):
        if program := shutil.which(name):
            return program
    return next((str(path) for pattern in _DOWNLOADED for path in sorted(_DOWNLOADS.glob(pattern))), None)


def download() -> bool:
    """Let Playwright fetch a Chromium into .tools; whether one that starts is there now."""
    environment = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(_DOWNLOADS)}
    command = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    try:
        subprocess.run(command, env=environment, timeout=_DOWNLOAD_SECONDS, check=True)
        program = find()
        if program is None:
            return False
        # A Linux without a desktop lacks libraries that only root could add.
        subprocess.run([program, "--version"], stdout=subprocess.DEVNULL, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(_DOWNLOADS, ignore_errors=True)
        return False
    return True


def main() -> None:
    if find() is not None:
        return
    if os.environ.get("CI") == "true":
        print("No Chromium is installed: the browser tests will fail.", file=sys.stderr)
        return
    print("No Chromium is installed: fetching one into .tools for the browser tests ...", file=sys.stderr)
    if not download():
        print(
            "It could not be fetched or does not start: the browser tests will be skipped."
            " Install chromium, or name one with CHROMIUM=/path.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
