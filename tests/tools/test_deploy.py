"""What `make deploy` is about to do: which values it takes, and which it refuses."""

from __future__ import annotations

import json

import pytest

from tools import deploy
from tools.command import Failure
from tools.stack import Stack
from tools.stages import Stage

STAGE = Stage("trial", "brokerlink-trial", "ap-south-1", {"LogRetentionDays": "7", "ReturnTo": "https://a.example/"})


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The parameters of the stack that is deployed already."""
    parameters: dict[str, str] = {}
    monkeypatch.setattr(deploy, "find", lambda _: Stack("UPDATE_COMPLETE", parameters, {}))
    return parameters


def test_command_goes_before_stage_before_stack_before_default(present: dict[str, str]) -> None:
    present |= {"LogRetentionDays": "90", "AttemptSeconds": "300", "ReturnTo": "https://old.example/", "Gone": "x"}
    merged = deploy.merged(STAGE, {"ReturnTo": "https://b.example/"})
    assert merged["ReturnTo"] == "https://b.example/"
    assert merged["LogRetentionDays"] == "7"
    assert merged["AttemptSeconds"] == "300"
    assert merged["BrokerApps"] == "{}"
    assert "Gone" not in merged


def test_parameter_that_the_template_does_not_have_is_refused(present: dict[str, str]) -> None:
    del present
    with pytest.raises(Failure, match="no parameter ReturnTO to set"):
        deploy.merged(STAGE, {"ReturnTO": "x"})
    with pytest.raises(Failure, match=f"no parameter {deploy.RELEASE} to set"):
        deploy.merged(STAGE, {deploy.RELEASE: "x"})


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        ("BrokerApps", "{", "BrokerApps is not JSON"),
        (
            "BrokerApps",
            '{"pocketful": {"client_id": "x", "pcke": false}}',
            "BrokerApps.pocketful.pcke is not a setting",
        ),
        ("BrokerApps", '{"acme": {}}', "BrokerApps.acme is not a broker that brokerlink ships"),
        ("PublicBaseUrl", "http://login.example", "PublicBaseUrl has to be https"),
        ("ReturnTo", "https://good@evil.example/", "ReturnTo must not hold user information"),
        ("AttemptSeconds", "10", "AttemptSeconds has to be"),
    ],
)
def test_setting_that_the_functions_could_not_use_is_refused(
    present: dict[str, str], parameter: str, value: str, said: str
) -> None:
    del present
    with pytest.raises(Failure, match=said):
        deploy.check(deploy.merged(STAGE, {parameter: value}))


@pytest.mark.parametrize("value", [{"name": 'a "quoted" one'}, {"name": "back\\ slash"}, {"a": {"b": [1, "x y"]}}])
def test_json_means_the_same_after_what_sam_does_to_it(value: object) -> None:
    text = json.dumps(value)
    # The SAM CLI replaces these in every value: samcli/cli/types.py.
    taken = deploy.for_sam(text).replace("\\ ", " ").replace('\\"', '"').replace("\\'", "'")
    assert json.loads(taken) == value
