"""Stages: what samconfig.toml says, and how the next command is written."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from tools.command import Failure
from tools.stages import CONFIG, add_stage, assignments, read_stage

CONFIGURATION = """
version = 0.1
[default.global.parameters]
stack_name = "brokerlink"
region = "ap-south-1"
[trial.global.parameters]
stack_name = "brokerlink-trial"
region = "ap-south-2"
[trial.deploy.parameters]
parameter_overrides = ["DeletionProtection=false", "ReturnTo=https://a.example/b=c/"]
[text.global.parameters]
stack_name = "text"
region = "ap-south-1"
[text.deploy.parameters]
parameter_overrides = "DirectLoginAccounts=* 'BrokerApps={}'"
[odd.global.parameters]
stack_name = "no good"
region = "ap-south-1"
[broken.global.parameters]
stack_name = "broken"
region = "ap-south-1"
[broken.deploy.parameters]
parameter_overrides = ["DeletionProtection"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "samconfig.toml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


def test_stage_is_read_with_its_parameters(config: Path) -> None:
    stage = read_stage("trial", config)
    assert (stage.stack, stage.region) == ("brokerlink-trial", "ap-south-2")
    assert stage.parameters == {"DeletionProtection": "false", "ReturnTo": "https://a.example/b=c/"}
    assert read_stage("text", config).parameters == {"DirectLoginAccounts": "*", "BrokerApps": "{}"}
    assert not read_stage("default", config).parameters


@pytest.mark.parametrize(
    ("name", "said"),
    [("prod", "STAGE is one of default, trial"), ("odd", "needs stack_name and region"), ("broken", "Name=value")],
)
def test_stage_that_is_not_described_is_refused(config: Path, name: str, said: str) -> None:
    with pytest.raises(Failure, match=said):
        read_stage(name, config)


def test_next_command_is_one_that_a_shell_takes(config: Path) -> None:
    assert read_stage("default", config).command("doctor") == "make doctor"
    command = read_stage("trial", config).command("deploy", PARAMETERS="A=b C=d")
    assert command == "make deploy PARAMETERS='A=b C=d' STAGE=trial"


def test_project_has_the_stages_that_the_docs_speak_of() -> None:
    assert read_stage("default", CONFIG).stack == "brokerlink"
    assert read_stage("trial", CONFIG).parameters["DeletionProtection"] == "false"


def test_words_that_assign_nothing_are_refused() -> None:
    assert assignments(["A=b=c", "B="], "here") == {"A": "b=c", "B": ""}
    with pytest.raises(Failure, match="here"):
        assignments(["=b"], "here")


def test_stage_comes_from_the_variable_that_make_passes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "trial")
    parser = argparse.ArgumentParser()
    add_stage(parser)
    assert parser.parse_args([]).stage == "trial"
