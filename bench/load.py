"""A trading morning's burst of complete logins against the local stack: `make load LOGINS=500 RATE=8`.

It starts a stack of its own, on loopback and on ports that nobody uses, and drives it from processes beside it: each
customer's platform prepares a session, the customer opens its link, logs in at the simulated broker and comes back.
No function has a process when the burst begins, as on a morning; each may come to have ten.

Ends with 0 if every login came to its end, once; with 1 if one was lost, exchanged or announced twice, left a token
without event or an event without token, or if the stack could not be started; with 130 if it was stopped.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(1, str(Path(__file__).parent.parent / "layers"))

from bench.customer import Walked
from bench.driver import Walks, driving
from bench.plan import Planned, planned
from bench.report import Burst, lines, percentile
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = list(planned(options.logins, options.rate))
    _say(f"{len(plan)} logins at {options.rate:g} a second, on {options.engine}")
    try:
        with TemporaryDirectory(prefix="brokerlink-load-") as folder, engines.start(options.engine) as engine:
            own = Path(folder)
            with Stack(engine=engine, brokers_file=own / "none.toml", logs=own / "logs", progress=_say) as stack:
                return conclude(stack, plan, run(stack, plan))
    except LocalStackError as problem:
        _say(str(problem))
        return 1
    except KeyboardInterrupt:
        _say("stopped")
        return 130


def run(stack: Stack, plan: Sequence[Planned]) -> Burst:
    """Drive the plan, and say every few seconds how far it is."""
    for pool in stack.functions.values():
        pool.retire()
    with driving(stack.base_url, plan) as drive:
        _say("the burst begins, and every function cold")
        walks = list(_followed(drive.walks, plan))
    return Burst(walks, drive.busy, {name: pool.size for name, pool in stack.functions.items()})


def conclude(stack: Stack, plan: Sequence[Planned], burst: Burst) -> int:
    """Hold what was walked against what was exchanged, stored and announced; report, and return the exit code."""
    _say("comparing with what was exchanged, stored and announced ...")
    verdict = judge(stack, plan, burst.walks, patience=_GRACE)
    print("\n".join(lines(plan, burst, verdict)), flush=True)
    return 0 if verdict.good else 1


def _followed(walks: Walks, plan: Sequence[Planned]) -> Iterator[Walked]:
    """Give each login as it comes to its end."""
    began = told = time.monotonic()
    until = began + plan[-1].at + _GRACE
    logins: list[float] = []
    while len(logins) < len(plan) and time.monotonic() < until:
        try:
            walk = walks.get(timeout=0.5)
        except queue.Empty:
            pass
        else:
            logins.append(walk.login)
            yield walk
        if time.monotonic() - told >= _PROGRESS:
            told = time.monotonic()
            begun = sum(each.at <= told - began for each in plan)
            _say(
                f"{told - began:5.0f} s: of {begun} logins begun {len(logins)} are at an end,"
                f" the last of them within {percentile(logins[-50:], 0.95):.2f} s (95 %)"
            )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--logins", type=int, default=500)
    parser.add_argument("--rate", type=float, default=8.0, help="logins a second, on average")
    parser.add_argument("--engine", choices=engines.NAMES, default="ministack")
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
