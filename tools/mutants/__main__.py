"""`make mutants`: tries every mutant of the core; one that survives has to be explained in docs/mutation.md."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, settings

from tools.mutants import children, sessions
from tools.mutants.children import Child, run
from tools.mutants.explained import PAGE, Explained, explained, identity
from tools.mutants.fates import FOLDER, Fate, Fates
from tools.mutants.generation import Mutant, mutants_of
from tools.mutants.sessions import NOT_EXCHANGEABLE, SURVIVED, InCopies, Unsound, WithImport, limit, measure
from tools.mutants.targets import TARGETS, Target

# What the tests import that is not ours: imported once, before the processes part.
_SHARED: Final = ("boto3", "moto", "moto.dynamodb.models", "moto.kms.models", "moto.secretsmanager.models", "requests")
_EVERY: Final = 10.0
_HEAD: Final = (
    "| module | mutants | killed | timed out | survived | of them equivalent | score |\n|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Score:
    """What became of a target's mutants."""

    target: Target
    fates: Counter[Fate]
    survivors: list[Mutant]
    equivalent: int

    @property
    def row(self) -> str:
        """Give its row of the table."""
        noticed = self.fates[Fate.KILLED] + self.fates[Fate.TIMED_OUT]
        share = noticed / max(1, self.fates.total() - self.equivalent)
        numbers = (self.fates.total(), self.fates[Fate.KILLED], self.fates[Fate.TIMED_OUT], len(self.survivors))
        return f"| `{self.target.name}` | {' | '.join(map(str, numbers))} | {self.equivalent} | {share:.1%} |"


class Progress:
    """Says now and then how far a target is."""

    def __init__(self, target: Target, pending: int) -> None:
        self.target = target
        self.pending = pending
        self.done = Counter[Fate]()
        self.said = time.monotonic()

    def count(self, fate: Fate) -> None:
        """Count one more."""
        self.done[fate] += 1
        if time.monotonic() - self.said > _EVERY or self.done.total() == self.pending:
            self.said = time.monotonic()
            say(f"{self.target.name}: {self.done.total()} of {self.pending}, {self.done[Fate.SURVIVED]} survived")


def say(text: str) -> None:
    """Write to the terminal; stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


def score(target: Target, fates: Fates, known: Iterable[Explained]) -> Score:
    """Try the target's mutants that have no fate yet. Raises `Unsound`."""
    mutants = mutants_of(target.path.read_text(encoding="utf-8"))
    tried = fates.read()
    pending = [mutant for mutant in mutants if mutant.key not in tried]
    if pending:
        _try(target, pending, fates)
        tried = fates.read()
    survivors = [mutant for mutant in mutants if tried[mutant.key] is Fate.SURVIVED]
    equivalent = {each.identity for each in known if each.equivalent}
    return Score(
        target,
        Counter(tried[mutant.key] for mutant in mutants),
        survivors,
        sum(identity(target, mutant) in equivalent for mutant in survivors),
    )


def _try(target: Target, pending: Sequence[Mutant], fates: Fates) -> None:
    progress = Progress(target, len(pending))
    say(f"{target.name}: {len(pending)} mutants to try; running the tests without one first ...")
    reaches = measure(target, fates.written.with_suffix(".reach"))

    def note(mutant: Mutant, status: int) -> None:
        if status != NOT_EXCHANGEABLE:
            fate = _fate(status)
            fates.note(mutant, fate)
            progress.count(fate)

    in_functions = [mutant for mutant in pending if mutant.function is not None]
    for _, status in run(iter([Child("copies", InCopies(target, in_functions, reaches, note).attempt, 24 * 3600)])):
        if status != SURVIVED:
            raise Unsound(f"the mutants of {target.name} could not be tried")
    tried = fates.read()
    left = {mutant.key: mutant for mutant in pending if mutant.key not in tried}
    progress.done.update(fate for key, fate in tried.items() if key in {mutant.key for mutant in pending})
    seconds = limit(sum(reach.seconds for reach in reaches.values()))
    imports = (Child(key, WithImport(target, mutant, reaches).attempt, seconds) for key, mutant in left.items())
    for key, status in run(imports):
        note(left[key], status)


def _fate(status: int) -> Fate:
    match status:
        case sessions.SURVIVED:
            return Fate.SURVIVED
        case children.TIMED_OUT:
            return Fate.TIMED_OUT
        case sessions.KILLED:
            return Fate.KILLED
        case _ if status < 0:  # by a signal
            return Fate.KILLED
        case _:
            say(f"brokerlink: a process that tried a mutant ended with {status}.")
            raise Unsound("mutants could not be tried")


def main(
    arguments: Sequence[str], *, targets: Sequence[Target] = TARGETS, page: Path = PAGE, folder: Path = FOLDER
) -> int:
    """Try what is asked for and print the table. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a module, such as attempts; all of them by default")
    parser.add_argument("--anew", action="store_true", help="try also what earlier runs have killed")
    options = parser.parse_args(arguments)
    by_name = {target.name: target for target in targets}
    if unknown := sorted(set(options.names) - set(by_name)):
        parser.error(f"{unknown[0]} is none of {', '.join(by_name)}")
    chosen = [by_name[name] for name in options.names] or list(targets)
    # The same examples for every mutant, and no haste: a busy machine kills no mutant.
    settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, suppress_health_check=HealthCheck
    )
    settings.load_profile("mutants")
    # The same modules are imported again and again, whatever the environment says about keeping them compiled.
    sys.dont_write_bytecode = False
    for name in _SHARED:
        importlib.import_module(name)
    known = explained(page)
    scores = []
    for target in chosen:
        fates = Fates.of(target, folder)
        fates.forget(all_of_them=options.anew)
        try:
            scores.append(score(target, fates, known))
        except Unsound as problem:
            say(f"brokerlink: {problem}.")
            return 2
    print(_HEAD)
    for each in scores:
        print(each.row)
    complaints = list(_complaints(scores, known))
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


def _complaints(scores: Sequence[Score], known: Sequence[Explained]) -> Iterator[str]:
    names = {each.target.name for each in scores}
    listed = Counter(each.identity for each in known if each.target in names)
    survived = Counter(identity(each.target, mutant) for each in scores for mutant in each.survivors)
    for target, where, change in (survived - listed).elements():
        yield f"\nsurvived without an explanation: {target}, {where}\n{change}"
    for target, where, change in (listed - survived).elements():
        yield f"\nexplained as a survivor, and is none: {target}, {where}\n{change}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
