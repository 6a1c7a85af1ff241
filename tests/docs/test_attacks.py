"""docs/attacks.md and docs/security.md name tests: every one of them exists, and no attack is left out."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
# The cases that the project began with; what was found since has the numbers after them.
GIVEN = 102
_TEST = re.compile(r"`(tests/[^`]+)`")
_REST = "…"


@dataclass(frozen=True)
class Row:
    """One row of a table: what is tried, what it comes to, and the tests that try it."""

    number: str
    attack: str
    comes_to: str
    tests: tuple[str, ...]


def rows(document: str) -> list[Row]:
    """Give the rows of a document whose last column names tests."""
    lines = (PROJECT / "docs" / document).read_text().splitlines()
    split = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    return [
        Row(cells[0] if len(cells) == 4 else "", cells[-3], cells[-2], tuple(_TEST.findall(cells[-1])))
        for cells in split
        if _TEST.search(cells[-1])
    ]


ATTACKS = rows("attacks.md")
THREATS = rows("security.md")


@cache
def collected() -> tuple[str, ...]:
    """Give the ids of all tests in the files that the documents name, and in all of tests/attacks/over_http."""
    files = {test.partition("::")[0] for row in ATTACKS + THREATS for test in row.tests}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(  # noqa: S603 - our own documents
        [*command, *sorted(file for file in files if (PROJECT / file).exists()), "tests/attacks"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2_000:] + run.stderr[-2_000:]
    return tuple(line for line in run.stdout.splitlines() if "::" in line)


def exists(test: str) -> bool:
    """Say whether pytest finds a test: by its whole id, without parameters, as a file, or by its beginning."""
    if test.endswith(f"{_REST}]"):
        return any(found.startswith(test.removesuffix(f"{_REST}]")) for found in collected())
    if "::" not in test:
        return any(found.startswith(f"{test}::") for found in collected())
    return any(found == test or found.startswith(f"{test}[") for found in collected())


def test_every_attack_and_every_threat_names_tests_that_exist() -> None:
    named = [test for row in ATTACKS + THREATS for test in row.tests]
    assert len(THREATS) > 20
    assert not [test for test in named if not exists(test)]


def test_every_given_case_has_a_row_and_what_was_found_since_follows() -> None:
    assert len(ATTACKS) >= GIVEN + 40
    assert [row.number for row in ATTACKS] == [str(number) for number in range(1, len(ATTACKS) + 1)]
    assert len({row.attack for row in ATTACKS}) == len(ATTACKS)
    assert all(row.attack and row.comes_to for row in ATTACKS)


def test_no_attack_over_http_is_left_out() -> None:
    named = {test.partition("[")[0] for row in ATTACKS for test in row.tests}
    over_http = {found.partition("[")[0] for found in collected() if found.startswith("tests/attacks/over_http/")}
    # These two show that what the others are refused is there to be had.
    assert over_http - named == {"tests/attacks/over_http/test_signatures.py::test_signed_request_is_taken"}


@pytest.mark.parametrize("test", ["tests/nowhere.py::test_x", "tests/docs/test_attacks.py::test_x", "tests/docs/x…]"])
def test_check_notices_a_test_that_does_not_exist(test: str) -> None:
    assert not exists(test)
