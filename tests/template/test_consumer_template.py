"""A consumer's stack imports what this one exports, may read tokens, and loses no event."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.kit.documents import block
from tests.template.check_messages import PLAIN
from tests.template.check_outputs import EXPORTED
from tests.template.iam import Grant, condition, grants
from tests.template.options import ALARM_TOPIC, Parameters
from tests.template.stack import ROOT, Json, Stack, consumer_source, named, translate
from tools.lint_templates import findings_in

TYPESCRIPT = "examples/typescript/README.md"
BROKER: Parameters = {"Broker": "pocketful"}


def consumer(**parameters: str) -> Stack:
    return translate(consumer_source(), **parameters)


def imported(output: str) -> Json:
    return {"Fn::ImportValue": {"Fn::Sub": f"${{BrokerlinkStack}}-{output}"}}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return consumer()


def _imports(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "Fn::ImportValue" in node:
            yield named(node["Fn::ImportValue"])
        for value in node.values():
            yield from _imports(value)
    elif isinstance(node, list):
        for value in node:
            yield from _imports(value)


def test_each_import_is_an_export(stack: Stack) -> None:
    imports = set(_imports(stack.body))
    assert imports
    assert imports <= {f"${{BrokerlinkStack}}-{name}" for name in EXPORTED}


def test_the_library_is_taken_from_where_brokerlink_writes_it(stack: Stack) -> None:
    layer = stack.body["Parameters"]["BrokerlinkLayerArn"]
    name = stack.body["Parameters"]["BrokerlinkStack"]["Default"]
    assert (layer["Type"], layer["Default"]) == ("AWS::SSM::Parameter::Value<String>", f"/{name}/reader-layer")
    assert stack.properties("ConsumerFunction")["Layers"] == [{"Ref": "BrokerlinkLayerArn"}]


def test_the_links_to_log_in_again_are_taken_from_where_brokerlink_writes_them(stack: Stack) -> None:
    name = stack.body["Parameters"]["BrokerlinkStack"]["Default"]
    environment = stack.properties("ConsumerFunction")["Environment"]["Variables"]
    for parameter, entry, variable in (
        ("BrokerlinkLoginUrl", "login-url", "BROKERLINK_LOGIN_URL"),
        ("BrokerlinkStartUrl", "start-url", "BROKERLINK_START_URL"),
    ):
        declared = stack.body["Parameters"][parameter]
        assert (declared["Type"], declared["Default"]) == ("AWS::SSM::Parameter::Value<String>", f"/{name}/{entry}")
        assert environment[variable] == {"Ref": parameter}


def test_what_it_may_do_to_tokens_is_brokerlinks_policy_and_nothing_else(stack: Stack) -> None:
    role = stack.properties("ConsumerRole")
    assert role["ManagedPolicyArns"] == [imported("ConsumerPolicyArn")]
    through_sqs = condition({"StringEquals": {"kms:ViaService": "sqs.${AWS::Region}.amazonaws.com"}})
    assert {grant for policy in role["Policies"] for grant in grants(policy["PolicyDocument"])} == {
        Grant("sqs:ReceiveMessage", "Inbox.Arn"),
        Grant("sqs:DeleteMessage", "Inbox.Arn"),
        Grant("sqs:GetQueueAttributes", "Inbox.Arn"),
        Grant("kms:Decrypt", named(imported("MessagingKeyArn")), through_sqs),
        Grant("dynamodb:PutItem", "ProcessedEvents.Arn"),
        Grant("dynamodb:UpdateItem", "ProcessedEvents.Arn"),
        Grant("dynamodb:DeleteItem", "ProcessedEvents.Arn"),
        Grant("logs:CreateLogStream", "ConsumerLogGroup.Arn"),
        Grant("logs:PutLogEvents", "ConsumerLogGroup.Arn"),
    }
    assert stack.of_type("AWS::IAM::Role").keys() == {"ConsumerRole"}


def test_only_the_topic_sends_and_only_over_tls(stack: Stack) -> None:
    (policy,) = stack.of_type("AWS::SQS::QueuePolicy").values()
    assert [named(queue) for queue in policy["Queues"]] == ["Inbox", "DeadLetters"]
    topic = condition({"ArnEquals": {"aws:SourceArn": imported("TokenIssuedTopicArn")}})
    queues = ("Inbox.Arn", "DeadLetters.Arn")
    assert set(grants(policy["PolicyDocument"])) == {
        *(Grant("sqs:SendMessage", queue, topic, "sns.amazonaws.com") for queue in queues),
        *(
            Grant(f"sqs:{action}Message", queue, PLAIN, "*", "Deny")
            for action in ("Send", "Receive")
            for queue in queues
        ),
    }


def test_a_queue_stands_between_the_topic_and_the_function(stack: Stack) -> None:
    subscription = stack.properties("Subscription")
    assert subscription["TopicArn"] == imported("TokenIssuedTopicArn")
    assert (subscription["Protocol"], named(subscription["Endpoint"])) == ("sqs", "Inbox.Arn")
    assert subscription["FilterPolicy"] == {"type": ["brokerlink.token.issued.v1"]}
    assert named(subscription["RedrivePolicy"]["deadLetterTargetArn"]) == "DeadLetters.Arn"
    # Until the queue's policy is there, what is published would go to the dead letters.
    assert stack.body["Resources"]["Subscription"]["DependsOn"] == "QueuesPolicy"
    (mapping,) = stack.of_type("AWS::Lambda::EventSourceMapping").values()
    assert named(mapping["EventSourceArn"]) == "Inbox.Arn"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2
    assert not stack.of_type("AWS::Lambda::Permission")


def test_what_cannot_be_handled_is_kept_for_a_person(stack: Stack) -> None:
    inbox, letters = stack.properties("Inbox"), stack.properties("DeadLetters")
    assert named(inbox["RedrivePolicy"]["deadLetterTargetArn"]) == "DeadLetters.Arn"
    assert letters["MessageRetentionPeriod"] == 14 * 86_400
    assert inbox["VisibilityTimeout"] >= 6 * stack.properties("ConsumerFunction")["Timeout"]
    assert inbox["KmsMasterKeyId"] == letters["KmsMasterKeyId"] == imported("MessagingKeyArn")
    watched = {
        (alarm["MetricName"], named(alarm["Dimensions"][0]["Value"]))
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
    }
    assert watched == {
        ("ApproximateNumberOfMessagesVisible", "DeadLetters.QueueName"),
        ("ApproximateAgeOfOldestMessage", "Inbox.QueueName"),
    }


def test_one_broker_may_be_chosen_and_an_operator_told() -> None:
    stack = consumer(**BROKER, **ALARM_TOPIC)
    policy = stack.properties("Subscription")["FilterPolicy"]
    assert policy == {"type": ["brokerlink.token.issued.v1"], "broker": [{"Ref": "Broker"}]}
    for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items():
        assert [named(action) for action in alarm["AlarmActions"]] == ["AlarmTopicArn"], name


def without_conditions(stack: Stack) -> Json:
    """Give a template whose conditions are decided already."""
    return {section: said for section, said in stack.body.items() if section != "Conditions"}


@pytest.mark.parametrize("parameters", [BROKER, ALARM_TOPIC, {**BROKER, **ALARM_TOPIC}], ids=str)
def test_nothing_is_found_in_it_with_its_options(parameters: Parameters) -> None:
    decided = without_conditions(consumer(**parameters))
    for name, value in parameters.items():
        decided["Parameters"][name]["Default"] = value
    assert findings_in("examples/consumer/template.yaml", decided) == []


def test_the_function_in_typescript_fits_into_it() -> None:
    source = consumer_source()
    function, change = source["Resources"]["ConsumerFunction"], yaml_parse(block(TYPESCRIPT, "function"))
    function["Metadata"] |= change["Metadata"]
    function["Properties"] = {**function["Properties"], **change["Properties"]}
    del function["Properties"]["Layers"]
    stack = translate(source)
    (entry,) = change["Metadata"]["BuildProperties"]["EntryPoints"]
    module, _, name = stack.properties("ConsumerFunction")["Handler"].partition(".")
    assert entry == f"{module}.ts"
    assert f"export async function {name}(" in (ROOT / TYPESCRIPT).with_name(entry).read_text(encoding="utf-8")
    assert findings_in("examples/consumer/template.yaml", without_conditions(stack)) == []
