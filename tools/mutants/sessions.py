"""pytest sessions that try mutants on the tests of their module."""

from __future__ import annotations

import ast
import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Final

import pytest

from tools.mutants.changed import ChangedModule, exchange_code
from tools.mutants.children import Child, run, silence
from tools.mutants.generation import Mutant
from tools.mutants.targets import Target

SURVIVED: Final = 0
KILLED: Final = 1
NOT_EXCHANGEABLE: Final = 71
UNSOUND: Final = 72
_MEASURING: Final = 900
_OPTIONS: Final = (
    "-q",
    "-s",
    *("-p", "no:cacheprovider"),
    # What this process has imported already is none of what is tried.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
_TOOL: Final = sys.monitoring.PROFILER_ID

type Note = Callable[[Mutant, int], None]


@dataclass(frozen=True, slots=True)
class Reach:
    """What one test does where nothing is changed: its processor time, and the lines of the module that it runs."""

    seconds: float
    lines: frozenset[int]


class Session:
    """A pytest plugin that runs the collected tests in its own way."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure, in whatever phase of a test."""
        if report.failed:
            self.failed.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop."""
        if session.testsfailed:
            self.failed.append("the collection of the tests")
        else:
            self.loop(session.items)
        return True

    def loop(self, items: Sequence[pytest.Item]) -> None:
        """Run what this session is for."""
        raise NotImplementedError

    def until_failure(self, items: Sequence[pytest.Item]) -> None:
        """Run tests until one fails."""
        for item, following in zip_longest(items, items[1:]):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return

    def collect(self, target: Target) -> bool:
        """Collect the target's tests and run the loop; say whether all went well."""
        status = pytest.main([*target.tests, *_OPTIONS], plugins=[self])
        return status == pytest.ExitCode.OK and not self.failed


type Reaches = Mapping[str, Reach]


def measure(target: Target, written: Path) -> Reaches:
    """Run the target's tests in a process of their own and give what each reaches. Raises `Unsound` where one fails."""
    ((_, status),) = run(iter([Child("measurement", Measurement(target, written).attempt, _MEASURING)]))
    told = json.loads(written.read_text(encoding="utf-8")) if status == SURVIVED else {}
    if not told:
        raise Unsound(f"the tests of {target.name} do not pass, or not in time, with nothing changed")
    return {test: Reach(seconds, frozenset(lines)) for test, (seconds, lines) in told.items()}


class Unsound(Exception):
    """The tests tell nothing of the mutants."""


class Measurement(Session):
    """Runs every test with nothing changed, and writes down what each reaches."""

    def __init__(self, target: Target, written: Path) -> None:
        super().__init__()
        self.target = target
        self.path = str(target.path)
        self.written = written
        self.lines: set[int] = set()

    def attempt(self) -> int:
        """Collect, run and write."""
        silence()
        return SURVIVED if self.collect(self.target) else UNSOUND

    def loop(self, items: Sequence[pytest.Item]) -> None:
        """Run each test with fixtures of its own, so that it is seen to reach what they do."""
        sys.monitoring.use_tool_id(_TOOL, "mutants")
        sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, self._line)
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)
        reaches = {}
        for item in items:
            self.lines.clear()
            began = time.process_time()
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            reaches[item.nodeid] = time.process_time() - began, sorted(self.lines)
        self.written.write_text(json.dumps(reaches), encoding="utf-8")

    def _line(self, code: object, line: int) -> object:
        if getattr(code, "co_filename", None) != self.path:
            return sys.monitoring.DISABLE
        self.lines.add(line)
        return None


class InCopies(Session):
    """Tries each mutant of a function's body in a forked copy of the session, which exchanges the function's code."""

    def __init__(self, target: Target, mutants: Iterable[Mutant], reaches: Reaches, note: Note) -> None:
        super().__init__()
        self.target = target
        self.mutants = {mutant.key: mutant for mutant in mutants}
        self.reaches = reaches
        self.note = note

    def attempt(self) -> int:
        """Collect and try all."""
        silence(errors=False)  # the progress is told there
        return SURVIVED if self.collect(self.target) else UNSOUND

    def loop(self, items: Sequence[pytest.Item]) -> None:
        """Try all mutants, after one test of each file: what those have loaded, the copies need not load again."""
        firsts = {item.path: item for item in reversed(items)}
        self.until_failure(list(firsts.values()))
        gc.freeze()
        for key, status in run(self._children(items)):
            self.note(self.mutants[key], status)

    def _children(self, items: Sequence[pytest.Item]) -> Iterator[Child]:
        tree = ast.parse(self.target.path.read_text(encoding="utf-8"))
        for mutant in self.mutants.values():
            lines = _lines_of_statement(tree, mutant.line)
            chosen = [item for item in items if _reach(self.reaches, item).lines & lines]
            chosen.sort(key=lambda item: _reach(self.reaches, item).seconds)
            seconds = sum(_reach(self.reaches, item).seconds for item in chosen)
            yield Child(mutant.key, partial(self._try, mutant, chosen), limit(seconds))

    def _try(self, mutant: Mutant, items: Sequence[pytest.Item]) -> int:
        silence()
        if mutant.function is None or not exchange_code(self.target, mutant.function, mutant.source):
            return NOT_EXCHANGEABLE
        self.until_failure(items)
        return KILLED if self.failed else SURVIVED


class WithImport(Session):
    """Tries one mutant by importing it. The tests that reach the module come first, of them those of the least time."""

    def __init__(self, target: Target, mutant: Mutant, reaches: Reaches) -> None:
        super().__init__()
        self.target = target
        self.mutant = mutant
        self.reaches = reaches

    def attempt(self) -> int:
        """Import, collect and run until a test fails."""
        silence()
        sys.meta_path.insert(0, ChangedModule(self.target, self.mutant.source))
        return SURVIVED if self.collect(self.target) else KILLED

    def loop(self, items: Sequence[pytest.Item]) -> None:
        """Run the tests until one fails."""
        self.until_failure(sorted(items, key=self._place))

    def _place(self, item: pytest.Item) -> tuple[bool, float]:
        reach = _reach(self.reaches, item)
        return not reach.lines, reach.seconds


def _reach(reaches: Reaches, item: pytest.Item) -> Reach:
    # A mutant may give a test another name, where that is made of what the module says.
    return reaches.get(item.nodeid, Reach(0.0, frozenset()))


def limit(seconds: float) -> int:
    """Give the processor time that a mutant may take whose tests take so long without it."""
    return int(10 + 10 * seconds)


def _lines_of_statement(tree: ast.Module, line: int) -> set[int]:
    """Give the lines of the innermost statement at `line`, without those of the statements in it."""
    around = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and line in _lines(node)]
    innermost = min(around, key=lambda node: len(_lines(node)))
    within = [node for node in ast.walk(innermost) if isinstance(node, ast.stmt) and node is not innermost]
    return set(_lines(innermost)).difference(*map(_lines, within))


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
