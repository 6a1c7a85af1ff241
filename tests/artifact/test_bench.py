"""`make bench` measures what it says, once; how fast anything was is not asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.artifact.figures import Figure, Verdict, figures, verdicts
from bench.artifact.raw import Tap
from bench.artifact.report import document, table
from bench.artifact.runs import measure
from bench.artifact.world import FUNCTIONS, VARIANTS, world
from local.moto_engine import Moto
from tools.artifact import Layout, Packaged


@pytest.fixture(scope="module")
def found(layout: Layout, packaged: Packaged, tmp_path_factory: pytest.TempPathFactory) -> list[Figure]:
    told: list[str] = []
    tap = Tap(Moto())
    with world(layout, packaged, tmp_path_factory.mktemp("packages"), tap) as set_up:
        measured = measure(set_up, tap, runs=1, warm=1, progress=told.append)
        assert told == ["run 1 of 1"]
        every = {(short, variant) for short in FUNCTIONS for variant in VARIANTS}
        assert measured.samples.keys() == every - {("announce", "peer")}
        assert len(measured.raw) == 1
        return list(figures(measured, set_up.sizes, 5 * 1024 * 1024))


def test_every_budget_is_of_something_measured(found: list[Figure]) -> None:
    held = list(verdicts(found))
    assert {verdict.what for verdict in held} <= {figure.what for figure in found}
    assert {(verdict.what, verdict.measure): verdict.budget for verdict in held} == {
        ("cold start of callback", "to empty"): 5.0,
        ("cold start of callback", "to naive"): 0.25,
        ("cold start of authorize", "to empty"): 4.5,
        ("cold start of authorize", "to naive"): 0.25,
        ("cold start and first login of callback", "to naive"): 0.35,
        ("peak memory of callback", "MB"): 64,
        ("peak memory of authorize", "MB"): 64,
        ("peak memory of announce", "MB"): 64,
        ("zipped layers", "MB"): 8,
        ("warm invocation of callback", "to raw"): 2.5,
    }
    assert next(verdict for verdict in held if verdict.what == "zipped layers").value == 5


def test_every_figure_is_told_to_people_and_to_programs(found: list[Figure]) -> None:
    held = list(verdicts(found))
    told = "\n".join(table(found, held, "noisy"))
    written = json.loads(json.dumps(document(found, held, "", 1)))
    for figure in found:
        assert figure.ours > 0
        assert figure.what in told
    assert [each["what"] for each in written["figures"]] == [figure.what for figure in found]
    assert all(each.keys() == {"what", "measure", "value", "budget", "within"} for each in written["budgets"])
    assert told.endswith("noisy")


def test_what_is_over_its_budget_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "budgets.toml"
    file.write_text('[[budget]]\nwhat = "cold start"\nto_empty = 2.0\nat_most = 99.0\n')
    (ratio, limit) = verdicts([Figure("cold start", "ms", 100.0, 50.0)], file)
    assert ratio == Verdict("cold start", "to empty", 2.0, 2.0)
    assert ratio.within
    assert not limit.within
    assert "OVER" in "\n".join(table([Figure("cold start", "ms", 100.0, 50.0)], [ratio, limit], ""))


def test_a_budget_of_what_is_not_measured_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "budgets.toml"
    file.write_text('[[budget]]\nwhat = "cold start"\nto_naive = 2.0\n')
    with pytest.raises(KeyError):
        list(verdicts([Figure("cold start", "ms", 100.0, 50.0)], file))
    with pytest.raises(KeyError):
        list(verdicts([], file))
