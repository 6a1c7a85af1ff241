"""Combinations that cannot work are refused before anything is made, with a sentence that says why."""

from __future__ import annotations

import re

import pytest

from tests.template.conditions import broken_rules
from tests.template.options import CDN, DOMAIN, EVERYTHING, OPTIONS, RECORD, Parameters
from tests.template.stack import source


@pytest.mark.parametrize("parameters", [{}, *OPTIONS.values(), EVERYTHING], ids=["the default", *OPTIONS, "everything"])
def test_what_can_work_is_let_through(parameters: Parameters) -> None:
    assert broken_rules(source(), parameters) == []


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"DomainName": DOMAIN["DomainName"]}, "DomainName needs CertificateArn"),
        ({"CertificateArn": DOMAIN["CertificateArn"]}, "CertificateArn is for DomainName"),
        ({"HostedZoneId": RECORD["HostedZoneId"]}, "HostedZoneId is for the record of DomainName"),
        ({"DefaultEndpoint": "false"}, "would leave the API without an address"),
        ({**CDN, "DefaultEndpoint": "false"}, "would leave the API without an address"),
        ({"NotifyEmail": "trader@trade.example"}, "NotifyEmail gets the reminders"),
        ({"CanonicalHost": "false"}, "the address is known from PublicBaseUrl alone"),
        ({**DOMAIN, "CanonicalHost": "false"}, "the address is known from PublicBaseUrl alone"),
    ],
)
def test_what_cannot_work_is_refused(parameters: Parameters, sentence: str) -> None:
    (said,) = broken_rules(source(), parameters)
    assert sentence in said


@pytest.mark.parametrize("parameters", [{}, *OPTIONS.values(), EVERYTHING], ids=["the default", *OPTIONS, "everything"])
def test_each_value_is_one_that_its_parameter_takes(parameters: Parameters) -> None:
    declared = source()["Parameters"]
    for name, value in ({name: str(each["Default"]) for name, each in declared.items()} | dict(parameters)).items():
        taken = declared[name]
        assert re.search(taken.get("AllowedPattern", ""), value), name
        assert value in map(str, taken.get("AllowedValues", [value])), name
        if taken["Type"] == "Number" and "MinValue" in taken:
            assert taken["MinValue"] <= int(value) <= taken["MaxValue"], name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DomainName", "https://login.example"),
        ("DomainName", "login.example/"),
        ("DomainName", "Login.example"),
        ("DomainName", "localhost"),
        ("CertificateArn", "arn:aws:iam::111122223333:server-certificate/x"),
        ("HostedZoneId", "/hostedzone/Z0123456789ABCDEFGHIJ"),
        ("ReleaseHash", "latest"),
        ("ReleaseHash", "0123456789ABCDEF" * 4),
        ("AlarmTopicArn", "operators@example.com"),
        ("AlarmTopicArn", "arn:aws:sns:ap-south-1:111122223333:operators.fifo"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_a_sentence(name: str, value: str) -> None:
    declared = source()["Parameters"][name]
    assert not re.search(declared["AllowedPattern"], value)
    assert name in declared["ConstraintDescription"]


def test_every_parameter_is_grouped_labelled_and_explained() -> None:
    template = source()
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert interface["ParameterLabels"].keys() == template["Parameters"].keys()
    for name, declared in template["Parameters"].items():
        assert declared["Description"].endswith("."), name
        assert "Default" in declared, name
        if declared.keys() & {"AllowedPattern", "MinValue"}:
            assert name in declared["ConstraintDescription"], name
