"""Runs at once what may run at once in AWS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from brokerlink.attempts import Transition
from brokerlink.storage import Conflict


def race[Result](racers: Sequence[Callable[[], Result]]) -> list[Result | Conflict]:
    """Start all at one signal and give what each returned, in their order.

    A conflict is an outcome like others: DynamoDB may give one to whoever meets a transaction (decision 16).
    """
    signal = Barrier(len(racers))

    def run(racer: Callable[[], Result]) -> Result | Conflict:
        signal.wait(30)
        try:
            return racer()
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(len(racers)) as threads:
        return list(threads.map(run, racers))


def done(outcomes: Sequence[Transition | Conflict]) -> list[Transition]:
    """Give the outcomes of those who took place."""
    return [outcome for outcome in outcomes if isinstance(outcome, Transition) and outcome.done]
