"""A small burst on the local stack, and then one wrong after the other for the verdict to find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from bench.customer import Walked
from bench.driver import driving
from bench.load import main
from bench.plan import Planned, Way, planned
from bench.report import lines, percentile
from bench.verdict import Verdict, judge
from local.received import Received
from local.stack import Stack

LOGINS = 20
_PATIENCE = 60


@dataclass(frozen=True)
class Burst:
    """What was walked, on a stack that still runs."""

    stack: Stack
    plan: list[Planned]
    walks: list[Walked]

    def verdict(self, walks: list[Walked] | None = None, *, patience: float = 0) -> Verdict:
        return judge(self.stack, self.plan, self.walks if walks is None else walks, patience=patience)

    def wrong(self, walks: list[Walked] | None = None) -> dict[str, int]:
        """What the verdict finds wrong, and how often."""
        return {name: len(cases) for name, cases in self.verdict(walks).wrong.items() if cases}

    def connected(self) -> Walked:
        return next(walk for walk in self.walks if walk.outcome == "connected")


@pytest.fixture(scope="module")
def burst(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Burst]:
    folder: Path = tmp_path_factory.mktemp("stack")
    plan = list(planned(LOGINS, rate=5))
    with Stack(brokers_file=folder / "none.toml", logs=folder / "logs") as stack:
        with driving(stack.base_url, plan) as walks:
            walked = [walks.get(timeout=_PATIENCE) for _ in plan]
        yield Burst(stack, plan, walked)


def test_a_burst_loses_nothing(burst: Burst) -> None:
    verdict = burst.verdict(patience=_PATIENCE)
    assert verdict.good, verdict.wrong
    assert (verdict.connected, verdict.declined) == (19, 1)
    assert verdict.exchanges == verdict.events == 19
    assert {walk.planned.way for walk in burst.walks} == set(Way)
    assert all(walk.start > 0 and walk.callback > 0 for walk in burst.walks)
    report = "\n".join(lines(burst.plan, burst.walks, verdict, {"CallbackFunction": 3}))
    assert "20 of 20 logins" in report
    assert "lost: 0" in report


def test_a_login_that_never_ended_is_lost(burst: Burst) -> None:
    ended = [walk for walk in burst.walks if walk is not burst.connected()]
    # Its token is there, but nobody was told.
    assert burst.wrong(ended) == {"lost": 1, "tokens of nobody connected": 1}


def test_a_login_that_ended_badly_is_lost(burst: Burst) -> None:
    walk = burst.connected()
    others = [each for each in burst.walks if each is not walk]
    assert burst.wrong([*others, replace(walk, outcome="failed (busy)")])["lost"] == 1
    assert burst.wrong([*others, replace(walk, outcome="", surprise="503")])["lost"] == 1


def test_a_customer_who_declined_and_is_connected_is_wrong(burst: Burst) -> None:
    walks = [replace(walk, outcome="connected") for walk in burst.walks]
    assert burst.wrong(walks)["declined, and told otherwise"] == 1


def test_an_event_without_token_is_wrong(burst: Burst) -> None:
    table, dynamodb = burst.stack.deployment.outputs["TokensTableName"], burst.stack.clients.dynamodb
    row = dynamodb.scan(TableName=table)["Items"][0]
    dynamodb.delete_item(TableName=table, Key={name: row[name] for name in ("user_id", "connection")})
    try:
        assert burst.wrong() == {"events without token": 1, "connected without token": 1}
    finally:
        dynamodb.put_item(TableName=table, Item=row)


def test_a_token_without_event_is_wrong(burst: Burst, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burst.stack, "received", Received())
    assert burst.wrong() == {"tokens without event": 19}


def test_a_grant_that_was_sent_twice_is_wrong(burst: Burst) -> None:
    listed = requests.get(f"{burst.stack.brokers_url}/simulator/requests", timeout=10).json()
    sent = next(each for each in listed if each["endpoint"] == "token" and each["broker"] == "pocketful")
    url = f"{burst.stack.brokers_url}/pocketful/oauth2/token"
    headers = {name: value for name, value in sent["headers"].items() if name != "Host"}
    requests.post(url, sent["body"], headers=headers, timeout=10)
    assert burst.wrong() == {"exchanged twice": 1}


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
