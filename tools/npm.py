"""Fetches a package of npm into .tools, and takes it only if it is what it was when it was chosen."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

TOOLS = Path(__file__).resolve().parents[1] / ".tools"


class FetchError(Exception):
    """It cannot be fetched; the message is one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Package:
    """`name` is with its version, `package@1.2.3`; `sha512` the archive's digest in base64; `home` where it goes."""

    name: str
    sha512: str
    home: Path

    def fetch(self) -> None:
        """Fetch it, unless it is there. Raises FetchError."""
        if self.home.is_dir():
            return
        npm = shutil.which("npm")
        if npm is None:
            raise FetchError(f"{self.name} can be fetched with npm alone, which is not on the PATH.")
        self.home.parent.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=self.home.parent) as folder:
            packed = Path(folder)
            command = [npm, "pack", "--silent", "--pack-destination", folder, self.name]
            if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
                raise FetchError(f"npm could not fetch {self.name} (see above).")
            self.unpack(next(packed.glob("*.tgz")), packed / "unpacked")
            (packed / "unpacked").rename(self.home)

    def unpack(self, archive: Path, into: Path) -> None:
        """Unpack an archive that has the digest. Raises FetchError."""
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != self.sha512:
            raise FetchError(f"{self.name} is not what it was when it was chosen: its SHA-512 is {found}.")
        with tarfile.open(archive) as packed:
            packed.extractall(into, filter="data")
