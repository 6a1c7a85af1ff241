"""The two keys' own policies: what IAM may hand out at all."""

from __future__ import annotations

from tests.template.check_permissions import MESSAGING, TOKEN_CONTEXT
from tests.template.iam import Grant, condition, grants
from tests.template.stack import Stack

ACCOUNT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
# Without these nobody could repair the key's policy or remove the key.
KEPT = {"kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"}
# What reads or writes data, or lets somebody else do so past the policy.
USE = ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateMac", "Sign", "CreateGrant", "DeriveSharedSecret")

# What CloudWatch Logs does with a group's key (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html).
LOGGING = {
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
}


def _use_of(stack: Stack, key: str) -> set[Grant]:
    said = grants(stack.properties(key)["KeyPolicy"])
    return {
        grant
        for grant in said
        if "*" in grant.action or grant.action.removeprefix("kms:").startswith(USE) or grant.principal != ACCOUNT
    }


def only_callback_encrypts_and_only_the_context_decrypts(stack: Stack) -> None:
    own = [f"{name}Role.Arn" for name in ("Announce", "Authorize", "Callback", "Connections", "Remind")]
    callback = {"ArnEquals": {"aws:PrincipalArn": "CallbackRole.Arn"}, **TOKEN_CONTEXT}
    assert _use_of(stack, "TokenKey") == {
        Grant("kms:Encrypt", "*", condition(callback), ACCOUNT),
        Grant("kms:Decrypt", "*", condition(TOKEN_CONTEXT), ACCOUNT),
        Grant("kms:Decrypt", "*", condition({"ArnEquals": {"aws:PrincipalArn": own}}), "*", "Deny"),
    }


def messaging_key_works_through_messages_and_logs_only(stack: Stack) -> None:
    topic = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-TokenIssuedTopic-*"
    delivery = condition({"StringEquals": {"aws:SourceAccount": "AWS::AccountId"}, "ArnLike": {"aws:SourceArn": topic}})
    logs = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
    groups = [f"{logs}/aws/lambda/${{AWS::StackName}}-*", f"{logs}/aws/vendedlogs/${{AWS::StackName}}/*"]
    own_logs = condition({"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}})
    assert _use_of(stack, "MessagingKey") == {
        Grant(action, "*", said, principal)
        for action in ("kms:Decrypt", "kms:GenerateDataKey")
        for said, principal in ((condition(MESSAGING), ACCOUNT), (delivery, "sns.amazonaws.com"))
    } | {Grant(f"kms:{action}", "*", own_logs, "logs.${AWS::Region}.amazonaws.com") for action in LOGGING}


def the_account_manages_its_keys_and_is_not_locked_out(stack: Stack) -> None:
    for key in ("TokenKey", "MessagingKey"):
        managed = set(grants(stack.properties(key)["KeyPolicy"])) - _use_of(stack, key)
        assert {grant.action for grant in managed} >= KEPT
        assert {(grant.principal, grant.condition, grant.effect) for grant in managed} == {(ACCOUNT, "", "Allow")}


def keys_rotate_and_are_the_only_two(stack: Stack) -> None:
    keys = stack.of_type("AWS::KMS::Key")
    assert keys.keys() == {"TokenKey", "MessagingKey"}
    assert all(key["EnableKeyRotation"] is True for key in keys.values())


def no_service_uses_the_token_key(stack: Stack) -> None:
    users = {name for name, resource in stack.body["Resources"].items() if "TokenKey" in str(resource)}
    assert users == {"CallbackEncrypts", "CallbackFunction", "ConsumerPolicy"}
