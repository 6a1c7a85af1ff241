"""One fixed address: a zone of its own can be lost with it, so both zones of callback leave by the one there is."""

from __future__ import annotations

from tests.template.network import way_out
from tests.template.options import ONE_ADDRESS
from tests.template.stack import Stack, named

PARAMETERS = ONE_ADDRESS


def both_zones_leave_by_the_one_address(stack: Stack) -> None:
    assert stack.of_type("AWS::EC2::EIP").keys() == {"EgressAddressA"}
    assert stack.of_type("AWS::EC2::NatGateway").keys() == {"EgressNatA"}
    assert {way_out(stack, f"EgressPrivateSubnet{zone}") for zone in "AB"} == {"EgressNatA"}
    assert named(stack.body["Outputs"]["EgressAddressList"]["Value"]) == "EgressAddressA"
