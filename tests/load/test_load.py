"""A small burst on the local stack, and then one wrong after the other for the verdict to find."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from bench.customer import Walked
from bench.load import conclude, main, run
from bench.plan import Planned, Way, planned
from bench.report import Burst, percentile
from bench.verdict import judge
from local.execution import ExecutionEnvironment
from local.received import Received
from local.stack import Stack
from tests.privileges.watch import watched_stack

LOGINS = 20
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Loaded:
    """What was walked, on a stack that still runs; `warm` are the processes that it had before."""

    stack: Stack
    plan: list[Planned]
    warm: Mapping[str, set[ExecutionEnvironment]]
    burst: Burst

    @property
    def walks(self) -> Sequence[Walked]:
        return self.burst.walks

    def wrong(self, walks: Sequence[Walked] | None = None) -> dict[str, int]:
        """What the verdict finds wrong, and how often."""
        verdict = judge(self.stack, self.plan, self.walks if walks is None else walks, patience=0)
        assert verdict.good is not any(verdict.wrong.values())
        return {name: len(cases) for name, cases in verdict.wrong.items() if cases}

    def connected(self) -> Walked:
        return next(walk for walk in self.walks if walk.outcome == "connected")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder: Path = tmp_path_factory.mktemp("stack")
    plan = list(planned(LOGINS, rate=2))
    with watched_stack(brokers_file=folder / "none.toml", logs=folder / "logs") as stack:
        warm = {name: set(pool._environments) for name, pool in stack.functions.items()}
        yield Loaded(stack, plan, warm, run(stack, plan))


def test_a_burst_loses_nothing(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude(loaded.stack, loaded.plan, loaded.burst) == 0
    report = capsys.readouterr().out
    for line in ("20 of 20 logins", "19 connected, 1 declined", "19 exchanges, 19 events", "lost: 0"):
        assert line in report
    assert re.search(r"^seconds +p50 +p90 +p95 +p99 +worst$", report, re.MULTILINE)
    for measured in ("start", "callback", "login", "late"):
        assert re.search(rf"^{measured} +([0-9.]+ *){{5}}$", report, re.MULTILINE), report
    assert {walk.planned.way for walk in loaded.walks} == set(Way)
    assert all(walk.start > 0 and walk.callback > 0 for walk in loaded.walks)
    assert all(walk.login > walk.start + walk.callback for walk in loaded.walks)


def test_every_function_began_cold(loaded: Loaded) -> None:
    assert loaded.burst.starts.keys() == loaded.warm.keys()
    for name, pool in loaded.stack.functions.items():
        # The others have no part in a login.
        assert (loaded.burst.starts[name] >= 1) == (name not in {"ConnectionsFunction", "RemindFunction"})
        assert not pool._environments & loaded.warm[name]


def test_a_burst_with_a_loss_ends_with_one(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    walks = [walk for walk in loaded.walks if walk is not loaded.connected()]
    assert conclude(loaded.stack, loaded.plan, replace(loaded.burst, walks=walks)) == 1
    assert "lost: 1" in capsys.readouterr().out


def test_a_login_that_never_ended_is_lost(loaded: Loaded) -> None:
    ended = [walk for walk in loaded.walks if walk is not loaded.connected()]
    # Its token is there, but nobody was told.
    assert loaded.wrong(ended) == {"lost": 1, "tokens of nobody connected": 1}


def test_a_login_that_ended_badly_is_lost(loaded: Loaded) -> None:
    walk = loaded.connected()
    others = [each for each in loaded.walks if each is not walk]
    assert loaded.wrong([*others, replace(walk, outcome="failed (busy)")])["lost"] == 1
    assert loaded.wrong([*others, replace(walk, outcome="", surprise="503")])["lost"] == 1


def test_a_customer_who_declined_and_is_connected_is_wrong(loaded: Loaded) -> None:
    walks = [replace(walk, outcome="connected") for walk in loaded.walks]
    assert loaded.wrong(walks)["declined, and told otherwise"] == 1


def test_a_token_that_is_gone_and_one_that_was_announced_again_are_wrong(loaded: Loaded) -> None:
    table, dynamodb = loaded.stack.deployment.outputs["TokensTableName"], loaded.stack.clients.dynamodb
    before, row = loaded.wrong(), dynamodb.scan(TableName=table)["Items"][0]
    dynamodb.delete_item(TableName=table, Key={name: row[name] for name in ("user_id", "connection")})
    assert loaded.wrong() == before | {"events without token": 1, "connected without token": 1}
    dynamodb.put_item(TableName=table, Item=row)
    received, attempt = loaded.stack.received, row["attempt_id"]["S"]
    received.wait_for(lambda _: [event["id"] for event in received.events].count(attempt) == 2)
    assert loaded.wrong() == before | {"announced twice": 1}


def test_a_token_without_event_is_wrong(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded.stack, "received", Received())
    assert loaded.wrong()["tokens without event"] == 19


def test_a_grant_that_was_sent_twice_is_wrong(loaded: Loaded) -> None:
    before = loaded.wrong()
    listed = requests.get(f"{loaded.stack.brokers_url}/simulator/requests", timeout=10).json()
    sent = next(each for each in listed if each["endpoint"] == "token" and each["broker"] == "pocketful")
    url = f"{loaded.stack.brokers_url}/pocketful/oauth2/token"
    headers = {name: value for name, value in sent["headers"].items() if name != "Host"}
    requests.post(url, sent["body"], headers=headers, timeout=10)
    assert loaded.wrong() == before | {"exchanged twice": 1}


def test_the_same_numbers_plan_the_same_burst() -> None:
    once, again = list(planned(500, 8)), list(planned(500, 8))
    assert once == again
    assert len({each.user_id for each in once}) == 500
    assert Counter(each.way for each in once) == {
        Way.PLAIN: 375,
        Way.DOUBLE_CLICK: 50,
        Way.FORGED: 50,
        Way.DECLINED: 25,
    }
    assert 50 < once[-1].at < 75


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2.0), (0.75, 3.0), (0.76, 4.0), (1.0, 4.0), (0.0, 1.0)])
def test_percentiles_are_times_that_were_measured(share: float, expected: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == expected
    assert percentile([], share) == 0


@pytest.mark.parametrize(
    "options",
    [["--logins", "0"], ["--logins", "2001"], ["--rate", "0"], ["--rate", "101"], ["--logins", "2000", "--rate", "1"]],
)
def test_a_load_without_bounds_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(options)
    assert refused.value.code == 2
    assert "must be" in capsys.readouterr().err


def test_ctrl_c_ends_it_quietly_and_says_so() -> None:
    command = [sys.executable, "-m", "bench.load", "--engine", "moto", "--logins", "100", "--rate", "1"]
    with subprocess.Popen(  # noqa: S603 - this project's own command
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    ) as load:
        assert load.stdout is not None
        told = [next(line for line in load.stdout if "logins begun" in line)]
        # As a terminal does it: to the whole group.
        os.killpg(load.pid, signal.SIGINT)
        # To its end: nobody is left who could write there.
        told += load.stdout
        load.wait(60)
    assert re.fullmatch(r" +\d+ s: of \d+ logins begun \d+ are at an end, .*\n", told[0]), told
    assert [line for line in told[1:] if "logins begun" not in line] == ["stopped\n"]
    assert load.returncode == 130
