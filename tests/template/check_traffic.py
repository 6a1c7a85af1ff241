"""A gradual deployment: a tenth first, while the alarms are watched that take it back."""

from __future__ import annotations

from tests.template.check_alarms import BROKERS
from tests.template.check_permissions import ALLOWED
from tests.template.iam import Grant, role_grants
from tests.template.options import CANARY
from tests.template.stack import Stack, listed, named

PARAMETERS = CANARY
SHIFTED = ("AuthorizeFunction", "CallbackFunction")
MOVES = {
    Grant(f"lambda:{action}", resource)
    for action in ("GetAlias", "GetProvisionedConcurrencyConfig", "UpdateAlias")
    for function in SHIFTED
    for resource in (f"{function}.Arn", f"${{{function}.Arn}}:live")
}
ROLLING_BACK = {
    "AuthorizeErrorsAlarm",
    "CallbackErrorsAlarm",
    "OperatorMustActAlarm",
    *(f"{broker.capitalize()}LoginsFailAlarm" for broker in BROKERS),
}


def what_customers_reach_is_shifted_and_the_stream_is_not(stack: Stack) -> None:
    updated = {
        name: resource["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        for name, resource in stack.body["Resources"].items()
        if "UpdatePolicy" in resource
    }
    assert updated.keys() == {f"{name}Aliaslive" for name in SHIFTED}
    for name in SHIFTED:
        assert named(updated[f"{name}Aliaslive"]["DeploymentGroupName"]) == f"{name}DeploymentGroup"


def alarms_take_a_deployment_back(stack: Stack) -> None:
    groups = stack.of_type("AWS::CodeDeploy::DeploymentGroup")
    assert groups.keys() == {f"{name}DeploymentGroup" for name in SHIFTED}
    for name, group in groups.items():
        watched = group["AlarmConfiguration"]
        assert watched["Enabled"] is True, name
        assert {named(alarm["Name"]) for alarm in watched["Alarms"]} == ROLLING_BACK, name
        assert group["AutoRollbackConfiguration"]["Enabled"] is True, name
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"], name
        _, types = group["DeploymentConfigName"]["Fn::Sub"]
        assert types == {"ConfigName": CANARY["TrafficShift"]}, name


def the_shifting_role_moves_these_aliases_and_nothing_else(stack: Stack) -> None:
    assert stack.of_type("AWS::IAM::Role").keys() == {*ALLOWED, "TrafficShiftRole"}
    assert set(role_grants(stack, "TrafficShiftRole")) == MOVES | {Grant("cloudwatch:DescribeAlarms", "*")}
    (statement,) = listed(stack.properties("TrafficShiftRole")["AssumeRolePolicyDocument"]["Statement"])
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "codedeploy.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    for group in stack.of_type("AWS::CodeDeploy::DeploymentGroup").values():
        assert named(group["ServiceRoleArn"]) == "TrafficShiftRole.Arn"
