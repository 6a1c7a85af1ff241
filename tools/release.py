"""Names a release: a digest of all that reaches the functions, so that a change of any of it is published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def digest(built: Path, parameters: Mapping[str, str]) -> str:
    """Give the SHA-256, in hex, of the built artifacts, the built template and the parameters.

    SAM publishes a version when the code's address changes, and not when a parameter does that only stands behind a
    `Ref` in the environment: the alias would go on running the old value.
    """
    release = hashlib.sha256()
    for path in sorted(each for each in built.rglob("*") if each.is_file()):
        content = path.read_bytes()
        release.update(f"{path.relative_to(built).as_posix()}\0{len(content)}\0".encode())
        release.update(content)
    release.update(json.dumps(dict(parameters), sort_keys=True).encode())
    return release.hexdigest()
