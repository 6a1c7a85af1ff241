"""What both kinds of event source share: a thread that delivers after each write, and batch responses."""

from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any

from local.emulator import Changes
from local.functions import EventSource
from local.runtime import FunctionError, PoolClosedError
from local.template import Json

# Runs one event in a function and returns its response; raises FunctionError, or PoolClosedError at the end.
type Invoke = Callable[[Json], object]
# Shows one line to the person at the terminal.
type Report = Callable[[str], None]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Poller:
    """Calls `deliver` after each write to its source, and now and then without one, until the emulator closes.

    `deliver` says whether all was delivered; after a failure it is called again with growing pauses.
    """

    def __init__(
        self, source: EventSource, deliver: Callable[[], bool], changes: Changes, report: Report, *, idle: float
    ) -> None:
        self._name = source.name
        self._deliver = deliver
        self._changes = changes
        self._watch = changes.watch(source.resource)
        self._report = report
        self._idle = idle
        self._thread = Thread(target=self._run, name=source.name, daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait until the poller has noticed that the emulator closed."""
        self._thread.join(timeout)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._changes.closed:
            seen = self._watch.count
            if self._delivered():
                pause = _FIRST_PAUSE
                self._watch.wait(seen, self._idle)
            else:
                self._changes.wait_for_close(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _delivered(self) -> bool:
        try:
            return self._deliver()
        except PoolClosedError:
            return False
        except Exception as problem:  # noqa: BLE001 - a thread that ended here would silence its source for good
            if not self._changes.closed:
                self._report(f"{self._name} will try again after {type(problem).__name__}: {problem}")
            return False


def failures(invoke: Invoke, records: Sequence[Json], ids: Sequence[str], *, reported: bool) -> frozenset[str]:
    """Run one batch and return the ids of the records that failed: all of them where the function failed.

    `reported` says whether the mapping has ReportBatchItemFailures. A response that names an unknown record,
    or none where one must be, counts as a failure of the whole batch:
    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """
    try:
        response = invoke({"Records": list(records)})
    except FunctionError:
        return frozenset(ids)
    if not reported or not response:
        return frozenset()
    named = _named(response)
    return named if named is not None and named <= frozenset(ids) else frozenset(ids)


def _named(response: Any) -> frozenset[str] | None:  # noqa: ANN401 - whatever the function returned
    try:
        items = response["batchItemFailures"] or []
        return frozenset(str(item["itemIdentifier"] or "") for item in items)
    except (KeyError, TypeError):
        return None
