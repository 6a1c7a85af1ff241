"""The mutation tests notice what a test misses, in expressions and patterns too, and insist on an explanation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutants.expressions import changed_expressions
from tools.mutants.generation import mutants_of
from tools.mutants.patterns import changed_patterns

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("expression", "changed"),
    [
        (
            '"#status = :pending AND #until > :now"',
            {
                '"#status = :pending OR #until > :now"',
                '"#status <> :pending AND #until > :now"',
                '"#status = :pending AND #until >= :now"',
                '"(#status = :pending OR #status <> :pending) AND #until > :now"',
                '"#status = :pending AND (#until > :now OR #until <= :now)"',
            },
        ),
        (
            '"attribute_not_exists(#id) OR #until <= :now"',
            {
                '"attribute_not_exists(#id) AND #until <= :now"',
                '"attribute_exists(#id) OR #until <= :now"',
                '"(attribute_not_exists(#id) AND attribute_exists(#id)) OR #until <= :now"',
                '"attribute_not_exists(#id) OR #until < :now"',
                '"attribute_not_exists(#id) OR (#until <= :now AND #until > :now)"',
            },
        ),
        (
            'f"{_MINE} AND #until = :until"',
            {
                'f"{_MINE} OR #until = :until"',
                'f"{_MINE} AND #until <> :until"',
                'f"{_MINE} AND (#until = :until OR #until <> :until)"',
                'f"(({_MINE}) OR NOT ({_MINE})) AND #until = :until"',
            },
        ),
        (
            '"SET #status = :failed, #error = :error REMOVE #verifier, #text"',
            {
                '"SET #dropped = :failed, #error = :error REMOVE #verifier, #text"',
                '"SET #status = :failed, #dropped = :error REMOVE #verifier, #text"',
                '"SET #status = :failed, #error = :error REMOVE #text"',
                '"SET #status = :failed, #error = :error REMOVE #verifier"',
            },
        ),
        ('f"{change} REMOVE #verifier"', {'f"{change}"'}),
        ('f"{change} REMOVE {removed}"', {'f"{change}"'}),
        ('", #retry_at = :retry_at"', {'", #dropped = :retry_at"'}),
        ('"#"', set()),
        ('"a text AND another"', set()),
    ],
)
def test_expressions_lose_each_part_and_keep_their_names_and_values(expression: str, changed: set[str]) -> None:
    assert set(changed_expressions(expression)) == changed


@pytest.mark.parametrize(
    ("pattern", "changed"),
    [
        (
            'r"[A-Za-z_-]{43}"',
            {
                'r"[a-z_-]{43}"',
                'r"[A-Z_-]{43}"',
                'r"[A-Za-z-]{43}"',
                'r"[A-Za-z_]{43}"',
                'r"[A-Za-z_-]{42}"',
                'r"[A-Za-z_-]{44}"',
            },
        ),
        (
            r'r"[^\x00-\x1f\x7f]+"',
            {r'r"[\x00-\x1f\x7f]+"', r'r"[^\x7f]+"', r'r"[^\x00-\x1f]+"', r'r"[^\x00-\x1f\x7f]*"'},
        ),
        ('r"[a-z]{0,1}"', {'r"[a-z]{1,1}"', 'r"[a-z]{0,0}"', 'r"[a-z]{0,2}"'}),
        ('r"%(2f|5c)"', {'r"%(5c)"', 'r"%(2f)"'}),
        ('r"[a]|[b|c]"', {'r"[b|c]"', 'r"[a]"', 'r"[a]|[|c]"', 'r"[a]|[bc]"', 'r"[a]|[b|]"'}),
        ('"a text (or two|three)"', set()),
    ],
)
def test_patterns_lose_each_part_and_miscount(pattern: str, changed: set[str]) -> None:
    assert set(changed_patterns(pattern)) == changed


_SOURCE = '''
from typing import Final

__all__ = ["Guest"]
LIMIT: Final = 18


class TooYoung(Exception):
    """Nobody reads the text."""


class Guest:
    """A guest."""

    def __init__(self, age: int) -> None:
        if self._is_child(age):
            raise TooYoungError("the guest is too young to come in", f"{age} is below {LIMIT}")
        print(age, flush=False)

    @staticmethod
    def _is_child(age: int) -> bool:
        return age < LIMIT

    def greet(self, age: Literal[1, 2]) -> None:
        match age:
            case 1:
                print(self)
            case _:
                assert_never(age)
'''


def test_mutants_are_named_by_their_function_and_change() -> None:
    found = {(mutant.function, mutant.change) for mutant in mutants_of(_SOURCE)}
    assert found == {
        (None, "-LIMIT: Final = 18\n+LIMIT: Final = None"),
        (None, "-LIMIT: Final = 18\n+LIMIT: Final = 19"),
        ("Guest.__init__", "-if self._is_child(age):\n+if not self._is_child(age):"),
        ("Guest.__init__", "-if self._is_child(age):\n+if self._is_child(None):"),
        ("Guest.__init__", "-print(age, flush=False)\n+pass"),
        ("Guest.__init__", "-print(age, flush=False)\n+print(None, flush=False)"),
        ("Guest.__init__", "-print(age, flush=False)\n+print(flush=False)"),
        ("Guest.__init__", "-print(age, flush=False)\n+print(age, )"),
        ("Guest.__init__", "-print(age, flush=False)\n+print(age, flush=True)"),
        ("Guest._is_child", "-return age < LIMIT\n+return age <= LIMIT"),
        ("Guest.greet", "-case 1:\n-    print(self)"),
        ("Guest.greet", "-case 1:\n+case 2:"),
        ("Guest.greet", "-print(self)\n+pass"),
        ("Guest.greet", "-print(self)\n+print(None)"),
    }


def test_a_dropped_case_is_tried_on_what_reaches_its_match() -> None:
    start = 1 + _SOURCE.splitlines().index("        match age:")
    (dropped,) = [mutant for mutant in mutants_of(_SOURCE) if mutant.change.startswith("-case 1:\n-    print")]
    assert dropped.line == start


# A project of one module, whose tests miss one thing in a function, one in each of two constants, and a function.
_SAMPLE = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = ["--import-mode=importlib"]\n',
    "sample.py": """
_LONGEST = 3
_CONDITION = "#status = :open"


def fits(text: str) -> bool:
    return bool(text) and len(text) < _LONGEST


def untried() -> int:
    return 1
""",
    "test_sample.py": """
from sample import _CONDITION, fits


def test_fits() -> None:
    assert fits("a")
    assert not fits("abcd")


def test_condition() -> None:
    assert "=" in _CONDITION
""",
    "run.py": """
import sys
from pathlib import Path
from tools.mutants.__main__ import main
from tools.mutants.children import Child, run
from tools.mutants.targets import Target


def endless() -> int:
    while True:
        pass


print(sorted(run(iter([Child("endless", endless, 1), Child("good", lambda: 3, 5)]))), flush=True)
target = Target("sample", Path("sample.py").resolve(), ("test_sample.py",))
for page in sys.argv[1:]:
    print("exit status", main(["sample"], targets=[target], page=Path(page), folder=Path("fates")), flush=True)
""",
}
_SURVIVORS = """
### `sample`

**`fits`** Accepted: planted.

```diff
-return bool(text) and len(text) < _LONGEST
+return bool(text) and len(text) <= _LONGEST
```

**`untried`** Accepted: planted.

```diff
-return 1
+return 2
```

**`module`** Equivalent: planted.

```diff
-_LONGEST = 3
+_LONGEST = 4
```

```diff
-_CONDITION = "#status = :open"
+_CONDITION = "(#status = :open OR #status <> :open)"
```
"""
_STALE = _SURVIVORS + "\n**`fits`** Accepted: planted.\n\n```diff\n-return bool(text)\n+return None\n```\n"


def test_survivors_have_to_be_explained_and_only_they(tmp_path: Path) -> None:
    for name, text in (*_SAMPLE.items(), ("none.md", ""), ("right.md", _SURVIVORS), ("stale.md", _STALE)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "run.py", "none.md", "right.md", "stale.md"],
        cwd=tmp_path,
        # Its sessions need none of the plugins that are installed here.
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    unexplained, right, stale, _ = done.stdout.split("exit status ")
    assert unexplained.startswith("[('endless', -1), ('good', 3)]\n")
    row = re.search(r"^\| `sample` \| (\d+) \| (\d+) \| 0 \| 4 \| 0 \| ", unexplained, re.MULTILINE)
    assert row is not None, done.stdout + done.stderr
    assert int(row[1]) == int(row[2]) + 4 > 4 + 3
    assert unexplained.count("survived without an explanation: sample") == 4
    assert "+return bool(text) and len(text) <= _LONGEST" in unexplained
    assert right.startswith("1\n")
    assert "explanation" not in right
    assert "| 4 | 2 | " in right
    assert stale.startswith("0\n")
    assert "explained as a survivor, and is none: sample, fits\n-return bool(text)\n+return None" in stale
    assert done.stdout.endswith("exit status 1\n")
