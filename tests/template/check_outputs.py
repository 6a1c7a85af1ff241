"""What other stacks and the operator's tools learn of this one."""

from __future__ import annotations

from tests.template.stack import Stack, named

EXPORTED = {
    "StartUrl",
    "CallbackUrl",
    "ApiUrl",
    "TokenIssuedTopicArn",
    "TokensTableName",
    "ConsumerPolicyArn",
    "ReaderLayerParameterName",
    "MessagingKeyArn",
    "BrokerSecretArn",
    "LoginAttemptsTableName",
    "AnnounceFunctionName",
    "AnnounceDeadLettersUrl",
}


def what_stays_the_same_is_exported(stack: Stack) -> None:
    exports = {
        name: named(output["Export"]["Name"]) for name, output in stack.body["Outputs"].items() if "Export" in output
    }
    assert exports == {name: f"${{AWS::StackName}}-{name}" for name in EXPORTED}


def the_layer_is_an_output_that_no_stack_can_pin(stack: Stack) -> None:
    assert stack.body["Outputs"].keys() == EXPORTED | {"BrokerlinkLayerArn", "DashboardUrl", "Version"}
    layer = named(stack.body["Outputs"]["BrokerlinkLayerArn"]["Value"])
    assert layer in stack.of_type("AWS::Lambda::LayerVersion")
    parameter = stack.properties("ReaderLayerParameter")
    assert (named(parameter["Name"]), parameter["Type"]) == ("/${AWS::StackName}/reader-layer", "String")
    assert named(parameter["Value"]) == layer


def where_to_log_in_again_is_told_by_parameters_that_no_stack_can_pin(stack: Stack) -> None:
    start, login = stack.properties("StartUrlParameter"), stack.properties("LoginUrlParameter")
    for parameter, name in ((start, "start-url"), (login, "login-url")):
        assert (named(parameter["Name"]), parameter["Type"]) == (f"/${{AWS::StackName}}/{name}", "String")
    assert start["Value"] == stack.body["Outputs"]["StartUrl"]["Value"]
    # Without a page of the platform's there is none: the reader takes the start URL for that.
    assert named(login["Value"]) in {"LoginUrl", "StartUrlParameter.Value"}
