"""The functions: their environment, limits and logs."""

from __future__ import annotations

import re

from tests.template.stack import FUNCTIONS, Stack, named

_ALL = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
_WEB = {
    "BROKERLINK_ATTEMPTS_TABLE": "LoginAttemptsTable",
    "BROKERLINK_BASE_URL": "",
    "BROKERLINK_CANONICAL_HOST": "CanonicalHost",
    "BROKERLINK_BROKER_APPS": "BrokerApps",
    "BROKERLINK_RETURN_TO": "ReturnTo",
    "BROKERLINK_DIRECT_LOGIN_ACCOUNTS": "DirectLoginAccounts",
    "BROKERLINK_ATTEMPT_SECONDS": "AttemptSeconds",
}
ENVIRONMENT = {
    "AuthorizeFunction": _WEB,
    "CallbackFunction": _WEB
    | {
        "BROKERLINK_TOKENS_TABLE": "TokensTable",
        "BROKERLINK_TOKEN_KEY": "TokenKey.Arn",
        "BROKERLINK_SECRET": "BrokerSecret",
    },
    "AnnounceFunction": {
        "BROKERLINK_TOPIC": "TokenIssuedTopic",
        "BROKERLINK_DEAD_LETTERS": "AnnounceDeadLetters",
        "BROKERLINK_SOURCE": "brokerlink/${AWS::StackName}",
        "BROKERLINK_LINKS_TABLE": "LinksTable",
        "BROKERLINK_ATTEMPTS_TABLE": "LoginAttemptsTable",
    },
    "RemindFunction": {
        "BROKERLINK_TOKENS_TABLE": "TokensTable",
        "BROKERLINK_LINKS_TABLE": "LinksTable",
        "BROKERLINK_BROKER_APPS": "BrokerApps",
        "BROKERLINK_EXPIRING_MINUTES": "",
        "BROKERLINK_REMINDERS": "Reminders",
        "BROKERLINK_LOGIN_URL": "LoginUrl",
        "BROKERLINK_START_URL": "StartUrlParameter.Value",
    },
    "ConnectionsFunction": {
        "BROKERLINK_TOKENS_TABLE": "TokensTable",
        "BROKERLINK_LINKS_TABLE": "LinksTable",
    },
}
TIMEOUTS = {
    "AuthorizeFunction": 10,
    "CallbackFunction": 28,
    "AnnounceFunction": 60,
    "ConnectionsFunction": 28,
    "RemindFunction": 900,
}
MEMORY = {"RemindFunction": 1769}
# Lambda's limit for all names and values together.
ENVIRONMENT_BYTES = 4096
# More than any physical name or ARN of this stack takes.
REFERENCE_BYTES = 160
# The longest name that CloudFormation takes.
STACK_NAME_BYTES = 128


def each_function_sees_its_own_settings_and_no_more(stack: Stack) -> None:
    assert stack.of_type("AWS::Lambda::Function").keys() == set(FUNCTIONS)
    for name, expected in ENVIRONMENT.items():
        variables = stack.properties(name)["Environment"]["Variables"]
        assert {key: named(value) for key, value in variables.items() if key not in _ALL} == expected, name
        assert variables.keys() >= _ALL, name
        assert variables["POWERTOOLS_SERVICE_NAME"] == name.removesuffix("Function").lower()
        assert named(variables["POWERTOOLS_METRICS_NAMESPACE"]) == "brokerlink/${AWS::StackName}"


def the_longest_settings_fit_into_the_environment(stack: Stack) -> None:
    for name in FUNCTIONS:
        variables = stack.whole["Resources"][name]["Properties"]["Environment"]["Variables"]
        longest = sum(len(key) + _longest(stack, value) for key, value in variables.items())
        assert longest < ENVIRONMENT_BYTES, (name, longest)


def _longest(stack: Stack, value: object) -> int:
    match value:
        case {"Fn::If": [_, then, otherwise]}:
            return max(_longest(stack, then), _longest(stack, otherwise))
        case {"Fn::Sub": str(text)}:
            variables = re.findall(r"\$\{([\w:]+)\}", text)
            around = len(re.sub(r"\$\{[\w:]+\}", "", text))
            return around + sum(_longest(stack, {"Ref": variable}) for variable in variables)
        case {"Ref": "AWS::StackName"}:
            return STACK_NAME_BYTES
    parameter = stack.body["Parameters"].get(named(value))
    if parameter is None:
        return len(value) if isinstance(value, str) else REFERENCE_BYTES
    choices = parameter.get("AllowedValues") or [str(parameter.get("MaxValue", ""))]
    return int(parameter.get("MaxLength", max(map(len, choices))))


def functions_have_their_limits(stack: Stack) -> None:
    for name, timeout in TIMEOUTS.items():
        function = stack.properties(name)
        assert function["Timeout"] == timeout, name
        assert function["MemorySize"] == MEMORY.get(name, 512), name
        assert function["Runtime"] == "python3.13", name
        assert [named(item) for item in function["Architectures"]] == ["Architecture"], name
        handler = name.removesuffix("Function").lower()
        assert function["Handler"] == f"{handler}.handler", name
        # An account's last 100 executions cannot be reserved, and a new account has 10.
        assert "ReservedConcurrentExecutions" not in function, name


def each_function_is_reached_by_its_live_alias(stack: Stack) -> None:
    versions, aliases = stack.of_type("AWS::Lambda::Version"), stack.of_type("AWS::Lambda::Alias")
    assert aliases.keys() == {f"{name}Aliaslive" for name in FUNCTIONS}
    for name in FUNCTIONS:
        alias = aliases[f"{name}Aliaslive"]
        assert alias["Name"] == "live", name
        version, _, attribute = named(alias["FunctionVersion"]).partition(".")
        assert attribute == "Version", name
        assert named(versions[version]["FunctionName"]) == named(alias["FunctionName"]) == name
        # Requests under way end on the version before; and it can be put back.
        assert stack.body["Resources"][version]["DeletionPolicy"] == "Retain", name


def functions_import_from_the_two_layers(stack: Stack) -> None:
    dependencies, library = stack.of_type("AWS::Lambda::LayerVersion")
    assert dependencies.startswith("DependenciesLayer")
    assert library.startswith("BrokerlinkLayer")
    for name in FUNCTIONS:
        assert [named(layer) for layer in stack.properties(name)["Layers"]] == [dependencies, library]


def every_log_is_structured_encrypted_and_ends(stack: Stack) -> None:
    groups = stack.of_type("AWS::Logs::LogGroup")
    assert {named(group["KmsKeyId"]) for group in groups.values()} == {"MessagingKey.Arn"}
    assert all(named(group["RetentionInDays"]) == "LogRetentionDays" for group in groups.values())
    assert "AccessLogGroup" in groups
    for name in FUNCTIONS:
        logging = stack.properties(name)["LoggingConfig"]
        assert logging["LogFormat"] == "JSON", name
        assert named(logging["LogGroup"]) == name.replace("Function", "LogGroup"), name
        assert named(logging["LogGroup"]) in groups, name


def no_reference_makes_a_cycle(stack: Stack) -> None:
    """A function that named the API would: the API's definition names the functions to which its routes lead."""
    reached = str([operation["x-amazon-apigateway-integration"]["uri"] for _, operation in stack.routes])
    for name in FUNCTIONS:
        assert "HttpApi" not in str(stack.properties(name)), name
        assert ("StartUrlParameter" in str(stack.properties(name))) <= (f"{name}Alias" not in reached), name
