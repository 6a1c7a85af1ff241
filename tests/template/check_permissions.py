"""Who may do what: each role's grants, exactly."""

from __future__ import annotations

from tests.template.iam import Grant, condition, grants, role_documents, role_grants, stream_of
from tests.template.stack import FUNCTIONS, Stack, listed, named

TOKEN_CONTEXT = {
    "StringEquals": {"kms:EncryptionContext:purpose": "broker-access-token"},
    "Null": {
        "kms:EncryptionContext:broker": "false",
        "kms:EncryptionContext:account": "false",
        "kms:EncryptionContext:user_id": "false",
    },
    "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["account", "broker", "purpose", "user_id"]},
}
MESSAGING = {
    "StringEquals": {"kms:ViaService": ["sns.${AWS::Region}.amazonaws.com", "sqs.${AWS::Region}.amazonaws.com"]}
}


def _own_log(group: str) -> set[Grant]:
    return {Grant(f"logs:{action}", f"{group}.Arn") for action in ("CreateLogStream", "PutLogEvents")}


ALLOWED = {
    "AuthorizeRole": {
        Grant("dynamodb:GetItem", "LoginAttemptsTable.Arn"),
        Grant("dynamodb:PutItem", "LoginAttemptsTable.Arn"),
        *_own_log("AuthorizeLogGroup"),
    },
    "CallbackRole": {
        Grant("dynamodb:GetItem", "LoginAttemptsTable.Arn"),
        Grant("dynamodb:UpdateItem", "LoginAttemptsTable.Arn"),
        Grant("dynamodb:PutItem", "TokensTable.Arn"),
        Grant("kms:Encrypt", "TokenKey.Arn", condition(TOKEN_CONTEXT)),
        Grant("secretsmanager:GetSecretValue", "BrokerSecret"),
        *_own_log("CallbackLogGroup"),
    },
    "AnnounceRole": {
        *stream_of("TokensTable"),
        *stream_of("LinksTable"),
        Grant("sns:Publish", "TokenIssuedTopic"),
        Grant("sqs:SendMessage", "AnnounceDeadLetters.Arn"),
        Grant("kms:Decrypt", "MessagingKey.Arn", condition(MESSAGING)),
        Grant("kms:GenerateDataKey", "MessagingKey.Arn", condition(MESSAGING)),
        *_own_log("AnnounceLogGroup"),
    },
    "RemindRole": {
        Grant("dynamodb:Query", "TokensTable.Arn"),
        Grant("dynamodb:Query", "${TokensTable.Arn}/index/by_broker"),
        Grant("dynamodb:Scan", "LinksTable.Arn"),
        Grant("dynamodb:UpdateItem", "LinksTable.Arn"),
        *_own_log("RemindLogGroup"),
    },
    "ConnectionsRole": {
        Grant("dynamodb:DeleteItem", "TokensTable.Arn"),
        Grant("dynamodb:GetItem", "TokensTable.Arn"),
        Grant("dynamodb:Query", "TokensTable.Arn"),
        Grant("dynamodb:PutItem", "LinksTable.Arn"),
        *_own_log("ConnectionsLogGroup"),
    },
}
CONSUMER = {
    Grant("dynamodb:GetItem", "TokensTable.Arn"),
    Grant("dynamodb:Query", "TokensTable.Arn"),
    Grant("dynamodb:Query", "${TokensTable.Arn}/index/by_broker"),
    Grant("kms:Decrypt", "TokenKey.Arn", condition(TOKEN_CONTEXT)),
}


def roles_allow_exactly_what_each_function_does(stack: Stack) -> None:
    assert stack.of_type("AWS::IAM::Role").keys() == ALLOWED.keys()
    for role, allowed in ALLOWED.items():
        assert set(role_grants(stack, role)) == allowed, role


def consumers_may_read_and_decrypt_and_nothing_else(stack: Stack) -> None:
    assert stack.of_type("AWS::IAM::ManagedPolicy").keys() == {"ConsumerPolicy"}
    assert set(grants(stack.properties("ConsumerPolicy")["PolicyDocument"])) == CONSUMER
    attached = {"Roles", "Users", "Groups"} & stack.properties("ConsumerPolicy").keys()
    assert not attached, "consumers attach it, this stack does not"


def no_identity_policy_has_a_wildcard(stack: Stack) -> None:
    documents = [document for role in stack.of_type("AWS::IAM::Role") for document in role_documents(stack, role)]
    documents += [policy["PolicyDocument"] for policy in stack.of_type("AWS::IAM::ManagedPolicy").values()]
    for grant in (grant for document in documents for grant in grants(document)):
        assert "*" not in grant.action + grant.resource, grant


def nobody_else_gets_a_policy(stack: Stack) -> None:
    kinds = {resource["Type"] for resource in stack.body["Resources"].values()}
    iam = {kind for kind in kinds if kind.startswith("AWS::IAM::")}
    assert iam == {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}


def each_function_has_a_role_of_its_own_that_only_lambda_assumes(stack: Stack) -> None:
    roles = {name: named(stack.properties(name)["Role"]) for name in FUNCTIONS}
    assert roles == {name: f"{name.removesuffix('Function')}Role.Arn" for name in FUNCTIONS}
    for role, properties in stack.of_type("AWS::IAM::Role").items():
        (statement,) = listed(properties["AssumeRolePolicyDocument"]["Statement"])
        assert statement == {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }, role


def only_the_api_invokes_and_only_on_its_own_routes(stack: Stack) -> None:
    invoked = []
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        assert permission["Principal"] == "apigateway.amazonaws.com", name
        text, names = permission["SourceArn"]["Fn::Sub"]
        assert named(names["__ApiId__"]) == "HttpApi", name
        invoked.append((named(permission["FunctionName"]), text.partition("${__Stage__}/")[2]))
    assert sorted(invoked) == [
        ("AuthorizeFunctionAliaslive", "GET/"),
        ("AuthorizeFunctionAliaslive", "GET/authorize/*"),
        ("AuthorizeFunctionAliaslive", "POST/sessions"),
        ("CallbackFunctionAliaslive", "GET/attempts/*"),
        ("CallbackFunctionAliaslive", "GET/callback/*"),
        ("CallbackFunctionAliaslive", "GET/result"),
        ("CallbackFunctionAliaslive", "POST/callback/*"),
        ("CallbackFunctionAliaslive", "POST/confirm"),
        ("ConnectionsFunctionAliaslive", "DELETE/connections/*/*/*"),
        ("ConnectionsFunctionAliaslive", "GET/connections/*"),
    ]
    assert not stack.of_type("AWS::Lambda::Url")
