"""Measures the built artifact under AWS's runtime client: `make bench`, or `make bench ARGS=--json`.

Each function is started and run next to an empty handler and to a naive version of itself, all of them in turn, against
an emulator and the simulators on this machine. What the budgets say is in bench/budgets.toml.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(1, str(Path(__file__).parents[2] / "layers"))

from bench.artifact.figures import figures, noise, verdicts
from bench.artifact.raw import Tap
from bench.artifact.report import document, table
from bench.artifact.runs import measure
from bench.artifact.world import world
from local.aws import forget_own_aws
from local.emulator import Emulator
from local.errors import LocalStackError
from local.moto_engine import Moto
from local.ports import listen
from local.stack import PROJECT
from tools.artifact import lay_out, make_removable, package

LEAST_RUNS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report; return the exit code."""
    options = _options(arguments)
    forget_own_aws(os.environ)
    if not sys.platform.startswith("linux"):
        _say("awslambdaric, AWS's runtime client, is for Linux alone.")
        return 1
    with TemporaryDirectory(prefix="brokerlink-bench-") as name:
        folder = Path(name)
        _say("unpacking the artifact ...")
        emulator = Emulator(listen(0, "AWS_PORT"))
        try:
            packaged = package(options.build, emulator, folder / "zips")
        except LocalStackError as problem:
            _say(str(problem))
            return 1
        finally:
            emulator.close()
        layout = lay_out(packaged, folder / "lambda")
        tap = Tap(Moto())
        try:
            with world(layout, packaged, folder / "packages", tap) as set_up:
                _say(f"{options.runs} runs of {len(set_up.functions)} functions, in turn ...")
                measured = measure(set_up, tap, runs=options.runs, warm=options.warm, progress=_say)
                sizes, layers = set_up.sizes, sum(each.stat().st_size for each in packaged.layers.values())
        except KeyboardInterrupt:
            _say("stopped")
            return 130
        finally:
            make_removable(folder / "lambda")
    found = list(figures(measured, sizes, layers))
    held, note = list(verdicts(found)), noise(measured)
    if options.json:
        print(json.dumps(document(found, held, note, options.runs), indent=2))
    else:
        print("\n".join(table(found, held, note)))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--runs", type=int, default=LEAST_RUNS, help="cold starts of each function")
    parser.add_argument("--warm", type=int, default=10, help="warm invocations after each of them")
    parser.add_argument("--build", type=Path, default=PROJECT / ".aws-sam" / "build", help="what make build made")
    options = parser.parse_args(arguments)
    if options.runs < 1 or options.warm < 1:
        parser.error("there must be one run and one warm invocation at least")
    return options


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
