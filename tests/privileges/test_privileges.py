"""No call outside the policies, and nothing in them that nobody does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.privileges.aws_itself import OwnCall, own_calls
from tests.privileges.calls import Call
from tests.privileges.comparison import Comparison, compare
from tests.privileges.conftest import Evidence
from tests.privileges.roles import CALLERS, CONSUMER, EVERYTHING_TOLD, policies
from tests.template.stack import FUNCTIONS, Json, consumer_source, source, translate

_ROLE = "Properties/Policies/0/PolicyDocument/Statement"
_ENCRYPTS = "CallbackEncrypts/Properties/PolicyDocument/Statement/0"
_KEY = "TokenKey/Properties/KeyPolicy/Statement"
_POLICY = "ConsumerPolicy/Properties/PolicyDocument/Statement"
DROP = object()
ASKED = translate(source(), **EVERYTHING_TOLD)


def compared(evidence: Evidence, change: Callable[[Json, Json], None] = lambda _main, _consumer: None) -> Comparison:
    main, consumer = source(), consumer_source()
    change(main, consumer)
    return compare(evidence.calls, translate(main, **EVERYTHING_TOLD), translate(consumer), evidence.resources)


def test_no_function_asks_for_more_than_its_role_allows(evidence: Evidence) -> None:
    assert not compared(evidence).outside


def test_no_role_allows_what_nobody_asks_for(evidence: Evidence) -> None:
    assert not compared(evidence).unused


def test_every_function_was_heard(evidence: Evidence) -> None:
    assert {call.caller for call in evidence.calls} == CALLERS


def test_what_aws_does_in_a_roles_name_no_code_of_ours_does(evidence: Evidence) -> None:
    ours = {(call.caller, call.action, evidence.resources.used(call.resource)) for call in evidence.calls}
    for own in own_calls(ASKED):
        assert own.reason
        assert (own.call.caller, own.call.action, evidence.resources.meant(own.call.resource)) not in ours


def test_nobody_but_callback_may_encrypt_and_nobody_but_a_consumer_decrypt(evidence: Evidence) -> None:
    calls = [call for call in evidence.calls if call.action in {"kms:Encrypt", "kms:Decrypt"}]
    assert {(call.action, call.caller) for call in calls} == {
        ("kms:Encrypt", "CallbackFunction"),
        ("kms:Decrypt", CONSUMER),
    }
    others = [replace(call, caller=caller) for call in calls for caller in CALLERS - {call.caller}]
    main, consumer = translate(source(), **EVERYTHING_TOLD), translate(consumer_source())
    refused = compare(others, main, consumer, evidence.resources).outside
    assert refused == {(call.caller, call.action, call.resource) for call in others}


@pytest.mark.parametrize("changed", ["purpose", "broker", "account", "user_id", "more"])
@pytest.mark.parametrize("action", ["kms:Encrypt", "kms:Decrypt"])
def test_role_and_key_each_refuse_another_encryption_context(evidence: Evidence, action: str, changed: str) -> None:
    call = next(call for call in evidence.calls if call.action == action)
    said = policies(translate(source(), **EVERYTHING_TOLD), translate(consumer_source()), evidence.resources)[
        call.caller
    ]
    assert said.own_word(call)
    assert said.resources_word(call)

    context = {key: values for key, values in call.context if not key.endswith(f":{changed}")}
    if changed == "more":
        context["kms:EncryptionContext:more"] = ("x",)
    names = {*dict(call.context)["kms:EncryptionContextKeys"]} ^ {changed}
    context["kms:EncryptionContextKeys"] = tuple(sorted(names))
    other = replace(call, context=tuple(sorted(context.items())))
    assert not said.own_word(other)
    assert not said.resources_word(other)


@pytest.mark.parametrize("own", [own for own in own_calls(ASKED) if own.call.context], ids=lambda own: str(own.call))
def test_role_and_key_each_refuse_the_messaging_key_to_the_functions_code(evidence: Evidence, own: OwnCall) -> None:
    through = replace(own.call, resource=evidence.resources.meant(own.call.resource))
    said = policies(translate(source(), **EVERYTHING_TOLD), translate(consumer_source()), evidence.resources)[
        own.call.caller
    ]
    assert said.own_word(through)
    assert said.resources_word(through)
    directly = replace(through, context=())
    assert not said.own_word(directly)
    assert not said.resources_word(directly)


@dataclass(frozen=True)
class Change:
    """One place of template.yaml or of the consumer's, by its path below Resources, and what it becomes."""

    path: str
    value: Any
    outside: str = ""
    unused: str = ""

    def apply(self, main: Json, consumer: Json) -> None:
        names: list[Any] = [int(name) if name.isdigit() else name for name in self.path.split("/")]
        place: Any = (main if names[0] in main["Resources"] else consumer)["Resources"]
        for name in names[:-1]:
            place = place[name]
        if self.value is DROP:
            del place[names[-1]]
        else:
            place[names[-1]] = self.value


def _arn(name: str) -> Json:
    return {"Fn::GetAtt": f"{name}.Arn"}


def _stream(name: str) -> Json:
    return {"Fn::GetAtt": f"{name}.StreamArn"}


CHANGES = [
    # narrower: a call of ours, or of AWS in our name, is refused
    Change(f"AuthorizeRole/{_ROLE}/0/Action", ["dynamodb:GetItem"], outside="dynamodb:PutItem"),
    Change(f"AuthorizeRole/{_ROLE}/0/Action", ["dynamodb:PutItem"], outside="dynamodb:GetItem"),
    Change(f"AuthorizeRole/{_ROLE}/0/Resource", _arn("TokensTable"), outside="dynamodb:PutItem"),
    Change(f"CallbackRole/{_ROLE}/0/Action", ["dynamodb:UpdateItem"], outside="dynamodb:GetItem"),
    Change(f"CallbackRole/{_ROLE}/1", DROP, outside="dynamodb:PutItem"),
    Change(f"CallbackRole/{_ROLE}/2", DROP, outside="secretsmanager:GetSecretValue"),
    Change(f"{_ENCRYPTS}/Action", "kms:Decrypt", outside="kms:Encrypt"),
    Change(f"{_ENCRYPTS}/Resource", _arn("MessagingKey"), outside="kms:Encrypt"),
    Change(f"{_ENCRYPTS}/Condition/StringEquals/kms:EncryptionContext:purpose", "other", outside="kms:Encrypt"),
    Change(
        f"{_ENCRYPTS}/Condition/ForAllValues:StringEquals/kms:EncryptionContextKeys",
        ["purpose", "broker", "account"],
        outside="kms:Encrypt",
    ),
    Change(f"{_ENCRYPTS}/Condition/Null/kms:EncryptionContext:broker", "true", outside="kms:Encrypt"),
    Change(f"{_KEY}/1", DROP, outside="kms:Encrypt"),
    Change(f"{_KEY}/1/Condition/ArnEquals/aws:PrincipalArn", _arn("AuthorizeRole"), outside="kms:Encrypt"),
    Change(f"{_KEY}/2", DROP, outside="kms:Decrypt"),
    Change(f"AnnounceRole/{_ROLE}/0/Action", ["dynamodb:GetRecords"], outside="dynamodb:GetShardIterator"),
    Change(f"AnnounceRole/{_ROLE}/1", DROP, outside="sns:Publish"),
    Change(f"AnnounceRole/{_ROLE}/2", DROP, outside="sqs:SendMessage"),
    Change(f"AnnounceRole/{_ROLE}/3/Action", "kms:GenerateDataKey", outside="kms:Decrypt"),
    Change(f"AnnounceRole/{_ROLE}/3/Condition/StringEquals/kms:ViaService", "sns.x", outside="kms:GenerateDataKey"),
    Change(
        "TokenIssuedTopicPolicy/Properties/PolicyDocument/Statement/1/Condition/ArnNotEquals/aws:PrincipalArn",
        _arn("CallbackRole"),
        outside="sns:Publish",
    ),
    Change(
        "AnnounceDeadLettersPolicy/Properties/PolicyDocument/Statement/0/Condition/ArnNotEquals/aws:PrincipalArn",
        _arn("CallbackRole"),
        outside="sqs:SendMessage",
    ),
    Change(f"ConnectionsRole/{_ROLE}/0/Action", ["dynamodb:GetItem", "dynamodb:Query"], outside="dynamodb:DeleteItem"),
    Change(f"ConnectionsRole/{_ROLE}/1", DROP, outside="dynamodb:PutItem"),
    Change(f"RemindRole/{_ROLE}/0/Resource", [_arn("TokensTable")], outside="dynamodb:Query"),
    Change(f"RemindRole/{_ROLE}/1/Action", ["dynamodb:UpdateItem"], outside="dynamodb:Scan"),
    Change(f"RemindRole/{_ROLE}/1/Action", ["dynamodb:Scan"], outside="dynamodb:UpdateItem"),
    Change(f"AnnounceRole/{_ROLE}/0/Resource", [_stream("TokensTable")], outside="dynamodb:GetRecords"),
    Change(f"{_POLICY}/0", DROP, outside="dynamodb:GetItem"),
    Change(f"{_POLICY}/0/Action", ["dynamodb:GetItem"], outside="dynamodb:Query"),
    Change(f"{_POLICY}/1", DROP, outside="dynamodb:Query"),
    Change(f"{_POLICY}/2", DROP, outside="kms:Decrypt"),
    Change(f"ConsumerRole/{_ROLE}/0/Action", ["sqs:ReceiveMessage"], outside="sqs:DeleteMessage"),
    Change(f"ConsumerRole/{_ROLE}/1", DROP, outside="kms:Decrypt"),
    Change(f"ConsumerRole/{_ROLE}/2/Action", ["dynamodb:PutItem"], outside="dynamodb:UpdateItem"),
    Change(f"AuthorizeRole/{_ROLE}/1", DROP, outside="logs:PutLogEvents"),
    # wider: something is allowed that nobody does
    Change(f"AuthorizeRole/{_ROLE}/0/Action", "dynamodb:*", unused="dynamodb:*"),
    Change(f"AuthorizeRole/{_ROLE}/0/Resource", "*", unused="dynamodb:PutItem"),
    Change(f"CallbackRole/{_ROLE}/0/Action/1", "dynamodb:Update*", unused="dynamodb:Update*"),
    Change(f"CallbackRole/{_ROLE}/1/Action", ["dynamodb:PutItem", "dynamodb:GetItem"], unused="dynamodb:GetItem"),
    Change(
        f"CallbackRole/{_ROLE}/2/Resource",
        [{"Ref": "BrokerSecret"}, _arn("TokensTable")],
        unused="secretsmanager:GetSecretValue",
    ),
    Change(f"{_ENCRYPTS}/Action", ["kms:Encrypt", "kms:ReEncryptTo"], unused="kms:ReEncryptTo"),
    Change(f"AnnounceRole/{_ROLE}/2/Action", ["sqs:SendMessage", "sqs:PurgeQueue"], unused="sqs:PurgeQueue"),
    Change(f"RemindRole/{_ROLE}/0/Action", ["dynamodb:Query", "dynamodb:GetItem"], unused="dynamodb:GetItem"),
    Change(f"ConnectionsRole/{_ROLE}/1/Action", ["dynamodb:PutItem", "dynamodb:Scan"], unused="dynamodb:Scan"),
    Change(f"{_POLICY}/0/Action", ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"], unused="dynamodb:Scan"),
    Change(
        f"ConsumerRole/{_ROLE}/2/Action",
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
        unused="dynamodb:GetItem",
    ),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change.path}-{change.outside or change.unused}")
def test_a_changed_policy_is_noticed(evidence: Evidence, change: Change) -> None:
    found = compared(evidence, change.apply)
    if change.outside:
        assert change.outside in {action for _, action, _ in found.outside}
    else:
        assert not found.outside
        assert change.unused in {grant.action for _, grant in found.unused}


def test_a_call_that_nobody_allowed_is_noticed(evidence: Evidence) -> None:
    table = next(call.resource for call in evidence.calls if call.action == "dynamodb:UpdateItem")
    scan = Call("CallbackFunction", "dynamodb:Scan", table)
    main, consumer = translate(source(), **EVERYTHING_TOLD), translate(consumer_source())
    assert compare([scan], main, consumer, evidence.resources).outside == {(scan.caller, scan.action, scan.resource)}


def test_the_functions_of_the_template_are_the_callers() -> None:
    assert {*FUNCTIONS, CONSUMER} == CALLERS
