"""What a login costs as the tables fill and as brokers are added: `make growth`, or `make growth ROWS="1000 10000"`.

Each table is filled with rows as logins leave them, on the second engine, and warm logins are timed in between; then
brokers are added until `BrokerApps` holds no more, and warm logins and cold starts are timed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parent.parent / "layers"))

from bench.artifact.logins import Logins, check_connected, check_started
from bench.artifact.process import Process
from bench.artifact.world import Deployed, deployed
from bench.report import percentile
from brokerlink.attempts import digest
from local import engines
from local.aws import forget_own_aws
from local.errors import LocalStackError, TemplateError

ROWS = (1_000, 10_000, 100_000)
_LOGINS = 15
_STARTS = 5
_BATCH = 25  # BatchWriteItem's most
_WRITERS = 4
_SHIPPED = 2
_MORE_BROKERS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report; return the exit code."""
    parser = argparse.ArgumentParser(prog="make growth", description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=ROWS, help="rows in each table, ascending")
    parser.add_argument("--engine", choices=("moto", "ministack"), default="ministack")
    options = parser.parse_args(arguments)
    forget_own_aws(os.environ)
    try:
        for line in chain(_tables(options.engine, options.rows), [""], _brokers(options.engine)):
            print(line, flush=True)
    except LocalStackError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _tables(engine: str, rows: Sequence[int]) -> Iterator[str]:
    yield f"{'rows in each table':>20} {'authorize, ms':>14} {'callback, ms':>14}"
    with engines.start(engine) as started, deployed(started) as place:
        filled = 0
        for wanted in rows:
            _fill(place, range(filled, wanted))
            filled = wanted
            authorize, callback = _warm(place)
            yield f"{filled:>20,} {authorize:14.1f} {callback:14.1f}"


def _brokers(engine: str) -> Iterator[str]:
    yield f"{'brokers':>20} {'authorize, ms':>14} {'callback, ms':>14} {'callback cold, ms':>18}"
    for more in count(0, step=_MORE_BROKERS):
        apps = {f"broker{number}": _app(number) for number in range(more)}
        try:
            with engines.start(engine) as started, deployed(started, apps) as place:
                authorize, callback = _warm(place)
                cold = [_cold(place) for _ in range(_STARTS)]
        except TemplateError as refusal:
            yield f"{_SHIPPED + more:>20} refused: {refusal}"
            return
        yield f"{_SHIPPED + more:>20} {authorize:14.1f} {callback:14.1f} {1000 * percentile(cold, 0.5):18.1f}"


def _app(number: int) -> Mapping[str, object]:
    """Give the least that an OAuth 2.0 broker app needs."""
    host = f"https://api.broker{number}.example"
    return {
        "protocol": "oauth2",
        "client_id": f"client-{number:06}",
        "authorization_endpoint": f"{host}/oauth2/authorize",
        "token_endpoint": f"{host}/oauth2/token",
        "account": {"from": "token_response", "path": "user_id"},
    }


def _fill(place: Deployed, numbers: range) -> None:
    """Write rows as logins leave them."""
    outputs = place.deployment.outputs
    now = int(time.time())

    def write(first: int) -> None:
        batch = range(first, min(first + _BATCH, numbers.stop))
        requests: dict[str, list[Any]] = {
            outputs["LoginAttemptsTableName"]: [_attempt(number, now) for number in batch],
            outputs["TokensTableName"]: [_token(number, now) for number in batch],
        }
        for table, items in requests.items():
            place.emulator.clients.dynamodb.batch_write_item(
                RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]}
            )

    with ThreadPoolExecutor(_WRITERS) as writers:
        list(writers.map(write, range(numbers.start, numbers.stop, _BATCH)))


def _attempt(number: int, now: int) -> dict[str, object]:
    return {
        "attempt_id": {"S": digest(f"state {number}")},
        "status": {"S": "SUCCEEDED"},
        "broker": {"S": "pocketful"},
        "browser_hash": {"S": digest(f"browser {number}")},
        "redirect_uri": {"S": "https://login.example/callback/pocketful"},
        "expires_at": {"N": str(now + 600)},
        "ttl": {"N": str(now + 40_000)},
        "account": {"S": f"YA{number:07}"},
        "token_expires_at": {"N": str(now + 40_000)},
    }


def _token(number: int, now: int) -> dict[str, object]:
    return {
        "user_id": {"S": f"user-{number:07}"},
        "connection": {"S": f"pocketful#YA{number:07}"},
        "shard": {"S": f"pocketful#{number % 32:02x}"},
        "broker": {"S": "pocketful"},
        "account": {"S": f"YA{number:07}"},
        "ciphertext": {"B": bytes(400)},
        "scope": {"S": "orders holdings"},
        "token_type": {"S": "bearer"},
        "attempt_id": {"S": digest(f"state {number}")},
        "issued_at_ms": {"N": str(now * 1000)},
        "expires_at": {"N": str(now + 40_000)},
    }


def _warm(place: Deployed) -> tuple[float, float]:
    """Give the median milliseconds of a start and of a callback."""
    with Process(place.function("authorize")) as authorize, Process(place.function("callback")) as callback:
        logins = Logins(authorize)
        try:
            starts, finishes = [], []
            for _ in range(_LOGINS + 1):
                seconds, response = authorize.invoke(logins.start())
                check_started(response)
                starts.append(seconds)
                seconds, response = callback.invoke(logins.callback())
                check_connected(response)
                finishes.append(seconds)
        finally:
            logins.close()
    # The first of each found nothing warm.
    return 1000 * percentile(starts[1:], 0.5), 1000 * percentile(finishes[1:], 0.5)


def _cold(place: Deployed) -> float:
    with Process(place.function("callback")) as process:
        return process.cold_start()


if __name__ == "__main__":
    sys.exit(main())
