"""A trading morning's burst of complete logins against the local stack: `make load LOGINS=500 RATE=8`.

It starts a stack of its own, on loopback and on ports that nobody uses, and drives it from a process beside it: each
customer's platform prepares a session, the customer opens its link, logs in at the simulated broker and comes back.
Ends with 1 if a login was lost, exchanged twice, left a token without event or an event without token.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(1, str(Path(__file__).parent.parent / "layers"))

from bench.customer import Walked
from bench.driver import Walks, driving
from bench.plan import Planned, planned
from bench.report import lines, percentile
from bench.verdict import judge
from local import engines
from local.aws import forget_own_aws
from local.errors import LocalStackError
from local.stack import Stack

MOST_LOGINS = 2000  # the simulators remember ten thousand requests, of which a login makes four
MOST_RATE = 100.0
MOST_SECONDS = 600.0
# For those who are on their way when the last one begins, and for what is still to be announced.
_GRACE = 90.0
_PROGRESS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a load and report; return the exit code."""
    options = _options(arguments)
    forget_own_aws(os.environ)
    plan = list(planned(options.logins, options.rate))
    _say(f"{len(plan)} logins at {options.rate:g} a second, on {options.engine}")
    try:
        with TemporaryDirectory(prefix="brokerlink-load-") as folder, engines.start(options.engine) as engine:
            own = Path(folder)
            with Stack(engine=engine, brokers_file=own / "none.toml", logs=own / "logs", progress=_say) as stack:
                return _run(stack, plan)
    except LocalStackError as problem:
        _say(str(problem))
    except KeyboardInterrupt:
        _say("stopped")
    return 1


def _run(stack: Stack, plan: Sequence[Planned]) -> int:
    with driving(stack.base_url, plan) as walks:
        walked = list(_followed(walks, plan))
    _say("comparing with what was exchanged, stored and announced ...")
    verdict = judge(stack, plan, walked, patience=_GRACE)
    sizes = {name: pool.size for name, pool in stack.functions.items()}
    print("\n".join(lines(plan, walked, verdict, sizes)))
    return 0 if verdict.good else 1


def _followed(walks: Walks, plan: Sequence[Planned]) -> Iterator[Walked]:
    """Give each login as it comes to its end, and say every few seconds how far it is."""
    began = told = time.monotonic()
    until = began + plan[-1].at + _GRACE
    callbacks: list[float] = []
    while len(callbacks) < len(plan) and time.monotonic() < until:
        try:
            walk = walks.get(timeout=0.5)
        except queue.Empty:
            pass
        else:
            callbacks.append(walk.callback)
            yield walk
        if time.monotonic() - told >= _PROGRESS:
            told = time.monotonic()
            begun = sum(each.at <= told - began for each in plan)
            _say(
                f"{told - began:5.0f} s: {len(callbacks)} of {begun} begun at an end,"
                f" callback 95 % within {percentile(callbacks[-200:], 0.95):.2f} s"
            )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--logins", type=int, default=500)
    parser.add_argument("--rate", type=float, default=8.0, help="logins a second, on average")
    parser.add_argument("--engine", choices=engines.NAMES, default="moto")
    options = parser.parse_args(arguments)
    if not 1 <= options.logins <= MOST_LOGINS:
        parser.error(f"LOGINS must be from 1 to {MOST_LOGINS}")
    if not 0 < options.rate <= MOST_RATE or options.logins / options.rate > MOST_SECONDS:
        parser.error(f"RATE must be at most {MOST_RATE:g} a second, and the burst at most {MOST_SECONDS:g} s long")
    return options


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
