"""template.yaml is the only description of the stack: what it says is there, or the start fails and says why."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.completion import _holds
from local.deployment import Deployment, deploy
from local.emulator import Emulator
from local.errors import TemplateError
from local.template import Template
from tests.local.miniature_stack import MINIATURE, PARAMETERS, SECRET, Miniature

PROJECT = Path(__file__).parents[2]
type Change = Callable[[dict[str, Any]], object]


def _changed(emulator: Emulator, change: Change, **arguments: Any) -> Deployment:
    """The miniature stack, with one thing in its translated template changed."""
    template = Template.load(MINIATURE, PARAMETERS)
    change(template.resources)
    arguments = {"name": "mini", "parameters": PARAMETERS, "secrets": {"BrokerSecret": SECRET}, **arguments}
    return deploy(template, emulator, **arguments)


def test_a_functions_settings_are_resolved(miniature: Miniature) -> None:
    function = miniature.deployment.functions["ApiFunction"]
    assert function.code_dir == MINIATURE.parent / "api"
    assert (function.handler, function.timeout) == ("api.handler", 28.0)
    assert function.layers == (MINIATURE.parent / "layer",)
    environment = dict(function.environment)
    assert environment["TABLE"] == miniature.id_of("Tokens")
    assert environment["APPS"] == PARAMETERS["BrokerApps"]
    assert environment["SECONDS"] == "600"
    assert environment["KEY"].endswith(f":key/{miniature.id_of('Key')}")
    assert environment["MAYBE"] == "http://127.0.0.1:1/"
    assert environment["POWERTOOLS_LOG_LEVEL"] == "INFO"
    assert environment["AWS_ENDPOINT_URL"] == miniature.emulator.url
    announce = dict(miniature.deployment.functions["AnnounceFunction"].environment)
    assert announce["TOPIC"] == miniature.id_of("Topic")
    assert announce["SOURCE"] == "miniature/mini"


def test_a_variable_whose_condition_is_false_is_absent(emulator: Emulator) -> None:
    parameters = {**PARAMETERS, "PublicBaseUrl": ""}
    deployment = deploy(
        Template.load(MINIATURE, parameters),
        emulator,
        name="mini",
        parameters=parameters,
        secrets={"BrokerSecret": SECRET},
    )
    assert "MAYBE" not in deployment.functions["ApiFunction"].environment


def test_routes_and_their_authorizers(miniature: Miniature) -> None:
    routes = {(route.method, route.path, route.function, route.iam) for route in miniature.deployment.routes}
    assert routes == {
        ("GET", "/authorize/{broker}", "ApiFunction", False),
        ("POST", "/sessions", "ApiFunction", True),
    }


def test_the_streams_mapping(miniature: Miniature) -> None:
    (source,) = miniature.deployment.sources
    assert (source.function, source.batch_size) == ("AnnounceFunction", 3)
    assert source.is_stream
    assert source.reports_failures
    assert source.bisects
    assert source.accepts({"eventName": "MODIFY"})
    assert not source.accepts({"eventName": "REMOVE"})


def test_what_the_emulators_cloudformation_drops_is_there(miniature: Miniature) -> None:
    clients = miniature.clients
    table = miniature.id_of("Tokens")
    assert clients.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"] == {
        "AttributeName": "expires_at",
        "TimeToLiveStatus": "ENABLED",
    }
    description = clients.dynamodb.describe_table(TableName=table)["Table"]
    assert description["SSEDescription"]["Status"] == "ENABLED"
    assert description["SSEDescription"]["KMSMasterKeyArn"].endswith(miniature.id_of("Key"))
    assert description["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    (secret,) = clients.secrets.list_secrets()["SecretList"]
    assert clients.secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"] == SECRET
    assert miniature.deployment.functions["ApiFunction"].environment["SECRET"] == secret["ARN"]
    (subscription,) = clients.sns.list_subscriptions_by_topic(TopicArn=miniature.id_of("Topic"))["Subscriptions"]
    attributes = clients.sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])["Attributes"]
    assert json.loads(attributes["FilterPolicy"]) == {"type": ["miniature.v1"]}
    assert attributes["RawMessageDelivery"].lower() == "true"


def test_the_stack_is_there_for_tools_with_its_own_outputs_only(miniature: Miniature) -> None:
    assert set(miniature.deployment.outputs) == {"StartUrl", "TopicArn", "LibraryArn"}
    assert miniature.deployment.outputs["StartUrl"] == PARAMETERS["PublicBaseUrl"]
    exports = {export["Name"]: export["Value"] for export in miniature.clients.cloudformation.list_exports()["Exports"]}
    assert exports["mini-TopicArn"] == miniature.id_of("Topic")


def _set(resource: str, name: str, value: object) -> Change:
    return lambda resources: resources[resource]["Properties"].update({name: value})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_set("Tokens", "KinesisStreamSpecification", {"StreamArn": "x"}), "Tokens: the emulator does not have its Ki"),
        (_set("Subscription", "Protocol", "lambda"), "Subscription subscribes by lambda"),
        (_set("ApiFunction", "Layers", ["arn:aws:lambda:x:1:layer:y:1"]), "ApiFunction uses the layer arn:"),
        (
            _set("ApiFunction", "Environment", {"Variables": {"API": {"Ref": "Api"}}}),
            r"ApiFunction refers to Api \(AWS::ApiGatewayV2::Api\), which the local stack does not create",
        ),
        (
            _set("AnnounceFunctionStream", "FilterCriteria", {"Filters": [{"Pattern": '{"a": [{"numeric": []}]}'}]}),
            "AnnounceFunctionStream has a filter rule that the local stack does not know",
        ),
        (
            _set("Topic", "KmsMasterKeyId", {"Fn::ImportValue": "other-Key"}),
            "template.yaml: the emulator cannot create the stack: No export named other-Key found",
        ),
        (lambda resources: resources.pop("BrokerSecret"), "template.yaml has no secret BrokerSecret"),
    ],
)
def test_what_the_template_lacks_or_the_emulator_does_not_have_stops_the_start(
    emulator: Emulator, change: Change, sentence: str
) -> None:
    with pytest.raises(TemplateError, match=sentence):
        _changed(emulator, change)


def test_a_table_without_its_encryption_stops_the_start(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the emulator does when it is left to read the template's own spelling.
    monkeypatch.setattr("local.deployment._as_the_emulator_reads_it", lambda resource: resource)
    with pytest.raises(TemplateError, match=r"^Tokens: the emulator does not have its SSESpecification\.$"):
        _changed(emulator, lambda _: None)


@pytest.mark.parametrize(
    ("wanted", "found", "holds"),
    [
        ({"a": 1}, {"a": "1", "b": 2}, True),
        ({"a": True}, {"a": "true"}, True),
        ({"a": True}, {"a": "false"}, False),
        ({"a": 1}, {}, False),
        ({"a": {"b": "x"}}, {"a": "x"}, False),
        ([{"a": 1}], [{"a": 1, "b": 2}], True),
        ([{"a": 1}], [], False),
        ([], [1], False),
        ([1, 2], [2, 1], False),
    ],
)
def test_what_is_wanted_has_to_be_found(wanted: object, found: object, holds: bool) -> None:  # noqa: FBT001 - a column
    assert _holds(wanted, found) is holds


def test_a_secret_without_a_value_stops_the_start(emulator: Emulator) -> None:
    with pytest.raises(TemplateError, match="no value for the secret BrokerSecret"):
        _changed(emulator, lambda _: None, secrets={})


def test_the_projects_own_template_can_be_built(emulator: Emulator) -> None:
    parameters = {"PublicBaseUrl": "http://127.0.0.1:8000", "DirectLoginAccounts": "*"}
    deployment = deploy(
        Template.load(PROJECT / "template.yaml", parameters),
        emulator,
        name="brokerlink",
        parameters=parameters,
        secrets={"BrokerSecret": "{}"},
    )
    assert {(route.method, route.path, route.iam) for route in deployment.routes} == {
        ("GET", "/", False),
        ("GET", "/authorize/{broker}", False),
        ("POST", "/sessions", True),
        ("GET", "/callback/{broker}", False),
        ("POST", "/callback/{broker}", False),
        ("GET", "/result", False),
        ("POST", "/confirm", True),
        ("GET", "/attempts/{attempt_id}", True),
        ("GET", "/connections/{user_id}", True),
        ("DELETE", "/connections/{user_id}/{broker}/{account}", True),
    }
    names = emulator.clients.dynamodb.list_tables()["TableNames"]
    kinds = ["Links", "LoginAttempts", "Tokens"]
    assert sorted(kind for name in names for kind in kinds if kind in name) == kinds
    for table, attribute in (("LoginAttemptsTable", "ttl"), ("TokensTable", "expires_at"), ("LinksTable", "ttl")):
        found = emulator.clients.dynamodb.describe_time_to_live(TableName=deployment.physical_ids[table])
        assert found["TimeToLiveDescription"] == {"AttributeName": attribute, "TimeToLiveStatus": "ENABLED"}
    assert "TokenIssued" in deployment.physical_ids["TokenIssuedTopic"]
