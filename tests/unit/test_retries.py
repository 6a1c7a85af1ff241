"""A write that got no answer: how often it is made again, after which pauses, and when there is no time for it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from brokerlink.retries import retry
from brokerlink.storage import Conflict, OutOfTime, Refused, StorageError


@dataclass
class Writer:
    """A write that takes a second and brings these outcomes, one after the other; its clock stands still between."""

    outcomes: list[Exception | str]
    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def write(self) -> str:
        self.now += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def run(self, deadline: float = float("inf")) -> str:
        return retry(self.write, deadline=deadline, sleep=self.sleep, monotonic=lambda: self.now)


def test_an_answer_ends_it() -> None:
    writer = Writer(["done", "never asked for"])
    assert writer.run() == "done"
    assert writer.slept == []


@pytest.mark.parametrize("error", [StorageError(), Conflict()])
def test_no_answer_is_tried_again_after_longer_and_longer_pauses(error: StorageError) -> None:
    writer = Writer([*[error] * 7, "done"])
    assert writer.run() == "done"
    assert writer.slept == [0.05, 0.1, 0.2, 0.4, 0.8, 0.8, 0.8]


@pytest.mark.parametrize("error", [Refused(), OutOfTime()])
def test_what_no_other_try_can_better_is_told_at_once(error: StorageError) -> None:
    writer = Writer([error, "never asked for"])
    with pytest.raises(type(error)):
        writer.run()
    assert writer.slept == []


# A try ends at 101, the pause at 101.05, and the next try, which may take as long, at 102.05.
@pytest.mark.parametrize(("deadline", "repeated"), [(102.06, True), (102.05, False), (102.0, False), (0.0, False)])
def test_the_next_try_begins_only_if_it_may_end_before_the_deadline(deadline: float, *, repeated: bool) -> None:
    writer = Writer([StorageError("first"), "done"])
    if repeated:
        assert writer.run(deadline) == "done"
    else:
        with pytest.raises(StorageError, match="first"):
            writer.run(deadline)
    assert writer.slept == ([0.05] if repeated else [])


def test_the_last_error_is_told() -> None:
    writer = Writer([StorageError("first"), StorageError("second")])
    with pytest.raises(StorageError, match="second"):
        writer.run(102.1)
