"""Fetches AsyncAPI's own JSON Schemas into .tools, for the test of contracts/asyncapi.yaml.

They are published in a package of npm and nowhere on PyPI. A machine without npm goes on without that test, except
in CI.
"""

import sys
from pathlib import Path

from tools.npm import TOOLS, FetchError, Package

PACKAGE = Package(
    "@asyncapi/specs@6.11.1",
    "A3WBLqAKGoJ2+6FWFtpjBlCQ1oFCcs4GxF7zsIGvNqp/klGUHjlA3aAcZ9XMMpLGE8zPeYDz2x9FmO6DSuKraQ==",
    TOOLS / "asyncapi-specs-6.11.1",
)


def schema(version: str) -> Path:
    """Give where the schema of a version of AsyncAPI is, once it is fetched."""
    return PACKAGE.home / "package" / "schemas" / f"{version}.json"


if __name__ == "__main__":
    try:
        PACKAGE.fetch()
    except FetchError as problem:
        print(f"brokerlink: contracts/asyncapi.yaml will not be validated: {problem}", file=sys.stderr)
