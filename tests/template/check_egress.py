"""The fixed addresses towards the brokers: callback leaves by them, reaches its tables inside, and nobody comes in."""

from __future__ import annotations

from tests.template.check_permissions import ALLOWED
from tests.template.iam import Grant, condition, grants, role_grants
from tests.template.network import way_out
from tests.template.options import TWO_ADDRESSES
from tests.template.stack import Stack, named

PARAMETERS = TWO_ADDRESSES
_EC2 = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:"
JOINS = {
    Grant("ec2:CreateNetworkInterface", f"{_EC2}network-interface/*"),
    Grant("ec2:CreateNetworkInterface", f"{_EC2}security-group/${{EgressSecurityGroup}}"),
    Grant("ec2:CreateNetworkInterface", f"{_EC2}subnet/${{EgressPrivateSubnetA}}"),
    Grant("ec2:CreateNetworkInterface", f"{_EC2}subnet/${{EgressPrivateSubnetB}}"),
    Grant("ec2:AssignPrivateIpAddresses", f"{_EC2}*/*"),
    Grant("ec2:DeleteNetworkInterface", f"{_EC2}*/*"),
    Grant("ec2:UnassignPrivateIpAddresses", f"{_EC2}*/*"),
    Grant("ec2:DescribeNetworkInterfaces", "*"),
    Grant("ec2:DescribeSubnets", "*"),
    Grant("ec2:*", "*", condition({"ArnEquals": {"lambda:SourceFunctionArn": "CallbackFunction.Arn"}}), "", "Deny"),
}


def callback_may_join_its_network_and_its_code_may_not_touch_it(stack: Stack) -> None:
    assert set(role_grants(stack, "CallbackRole")) == ALLOWED["CallbackRole"] | JOINS
    for role in ("AuthorizeRole", "AnnounceRole"):
        assert set(role_grants(stack, role)) == ALLOWED[role], role


def callback_alone_joins_and_only_once_the_way_out_is_there(stack: Stack) -> None:
    joined = {name for name, each in stack.of_type("AWS::Lambda::Function").items() if "VpcConfig" in each}
    assert joined == {"CallbackFunction"}
    network = stack.properties("CallbackFunction")["VpcConfig"]
    assert [named(group) for group in network["SecurityGroupIds"]] == ["EgressSecurityGroup"]
    # CloudFormation makes whatever a property names before the function, and Fn::Select takes the first of the list.
    chosen = [each["Fn::Select"] for each in network["SubnetIds"]]
    way = ("EgressPrivateRoutesOfSubnet{}", "EgressPrivateDefault{}", "EgressDynamoDb")
    assert [[position, *map(named, names)] for position, names in chosen] == [
        [0, f"EgressPrivateSubnet{zone}", *(name.format(zone) for name in way)] for zone in "AB"
    ]


def each_zone_leaves_by_an_address_of_its_own(stack: Stack) -> None:
    assert stack.of_type("AWS::EC2::EIP").keys() == {"EgressAddressA", "EgressAddressB"}
    for zone in "AB":
        assert way_out(stack, f"EgressPrivateSubnet{zone}") == f"EgressNat{zone}"
        nat = stack.properties(f"EgressNat{zone}")
        assert named(nat["AllocationId"]) == f"EgressAddress{zone}.AllocationId"
        assert named(nat["SubnetId"]) == f"EgressPublicSubnet{zone}"
        places = [stack.properties(f"Egress{kind}Subnet{zone}")["AvailabilityZone"] for kind in ("Public", "Private")]
        assert places[0] == places[1], "traffic between zones is paid for"
    zones = {str(subnet["AvailabilityZone"]) for subnet in stack.of_type("AWS::EC2::Subnet").values()}
    assert len(zones) == 2
    assert named(stack.body["Outputs"]["EgressAddressList"]["Value"]) == "${EgressAddressA},${EgressAddressB}"


def the_tables_are_reached_inside_and_nothing_else_is(stack: Stack) -> None:
    endpoint = stack.properties("EgressDynamoDb")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert sorted(map(named, endpoint["RouteTableIds"])) == ["EgressPrivateRoutesA", "EgressPrivateRoutesB"]
    callback = condition({"ArnEquals": {"aws:PrincipalArn": "CallbackRole.Arn"}})
    passed = set(grants(endpoint["PolicyDocument"]))
    tables = {grant for grant in ALLOWED["CallbackRole"] if grant.action.startswith("dynamodb:")}
    assert passed >= {Grant(grant.action, grant.resource, callback, "*") for grant in tables}
    assert {grant.action for grant in passed} == {grant.action for grant in tables}
    assert {grant.resource for grant in passed} == {grant.resource for grant in tables}
    assert {grant.condition for grant in passed} == {callback}


def nobody_comes_in_and_only_https_goes_out(stack: Stack) -> None:
    (group,) = stack.of_type("AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group
    assert not stack.of_type("AWS::EC2::SecurityGroupIngress")
    assert not stack.of_type("AWS::EC2::SecurityGroupEgress")
    (out,) = group["SecurityGroupEgress"]
    assert (out["IpProtocol"], out["FromPort"], out["ToPort"], out["CidrIp"]) == ("tcp", 443, 443, "0.0.0.0/0")
    for name, subnet in stack.of_type("AWS::EC2::Subnet").items():
        assert subnet["MapPublicIpOnLaunch"] is False, name
