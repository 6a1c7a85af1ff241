"""Where a subnet's traffic goes."""

from __future__ import annotations

from tests.template.stack import Stack, named


def way_out(stack: Stack, subnet: str) -> str:
    """The NAT gateway by which a private subnet leaves."""
    (table,) = (
        named(each["RouteTableId"])
        for each in stack.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
        if named(each["SubnetId"]) == subnet
    )
    (route,) = (each for each in stack.of_type("AWS::EC2::Route").values() if named(each["RouteTableId"]) == table)
    assert route["DestinationCidrBlock"] == "0.0.0.0/0"
    return named(route["NatGatewayId"])
