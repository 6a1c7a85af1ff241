"""Each block of code in the documents is run by a test, or says why not."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.kit.documents import DOCUMENTS, PROJECT, Block, blocks

NAMES = [str(path.relative_to(PROJECT)) for path in DOCUMENTS]
# What a program printed, and drawings.
# Nothing to run: what is shown, and what a change would be.
PLAIN = {"text", "diff"}


def test_blocks_are_found() -> None:
    fences = re.compile(r"^ *```", re.MULTILINE)
    found = {name: len(list(blocks(name))) for name in NAMES}
    assert found == {name: len(fences.findall((PROJECT / name).read_text())) // 2 for name in NAMES}
    assert sum(found.values()) > 60


@pytest.mark.parametrize("document", NAMES)
def test_each_block_is_run_or_says_why_not(document: str) -> None:
    assert not [problem for block in blocks(document) if (problem := problem_of(block))]


def problem_of(block: Block) -> str:
    """Say what a block lacks; nothing if it is all right."""
    kind, _, rest = block.mark.partition(": ")
    match kind, rest:
        case ("tested", name) if name:
            return "" if name in run_by_tests()[block.document] else f"no test runs {name} of {block.document}"
        case ("rehearsed", ""):
            commands = [shlex.split(line) for line in block.text.splitlines()]
            missing = [words for words in commands if words[:1] != ["make"] or words[1] not in rehearsed()]
            return f"make rehearse does not run {missing}" if missing or not commands else ""
        case ("not run", reason) if len(reason) > 10:
            gone = [test for test in re.findall(r"tests/[\w/.]+", reason) if not (PROJECT / test).exists()]
            return f"there is no {gone}" if gone else ""
    return "" if block.language in PLAIN else f"a block says neither which test runs it nor why none does: {block}"


@cache
def run_by_tests() -> dict[str, set[str]]:
    """Give the texts in tests' modules by the documents that these name; among them are the blocks that they run."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in (PROJECT / "tests").rglob("*.py"):
        source = module.read_text(encoding="utf-8")
        if module != Path(__file__) and "tests.kit.documents import" in source:
            nodes = ast.walk(ast.parse(source))
            texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            for document in texts.intersection(NAMES):
                found[document] |= texts
    return found


@cache
def rehearsed() -> set[str]:
    """Give the targets that the tests of the deployed stack make."""
    sources = (PROJECT / "tests" / "deployed").glob("test_*.py")
    return {target for path in sources for target in re.findall(r'operator\.make\(\s*"(\w+)"', path.read_text())}


@pytest.mark.parametrize("document", NAMES)
def test_make_would_take_each_command(document: str) -> None:
    make = shutil.which("make")
    assert make is not None
    for block in blocks(document):
        for line in block.text.splitlines() if block.language == "sh" else ():
            if line.startswith("make "):
                command = [make, "--dry-run", "-C", str(PROJECT), *shlex.split(line)[1:]]
                dry = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our documents
                assert dry.returncode == 0, dry.stderr


@pytest.mark.parametrize(
    "mark", ["", "tested: nothing that is", "tested: ", "rehearsed", "not run: ", "not run: see tests/nowhere.py"]
)
def test_check_notices_a_block_that_is_not_run(mark: str) -> None:
    assert problem_of(Block("docs/reader.md", "sh", mark, "make nothing\n"))
    assert problem_of(Block("docs/reader.md", "", mark, ""))
