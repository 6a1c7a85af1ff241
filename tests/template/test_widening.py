"""Every intent can be broken, and its check then objects: each row widens the template in one place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.template import (
    check_alarms,
    check_api,
    check_domain,
    check_egress,
    check_failures,
    check_functions,
    check_keys,
    check_messages,
    check_notices,
    check_notification,
    check_outputs,
    check_permissions,
    check_scale,
    check_single_egress,
    check_tables,
    check_traffic,
)
from tests.template.conditions import settled
from tests.template.stack import Json, Stack, source, translate
from tests.template.test_intent import CHECKS, parameters_of, stack_of

DROP = object()
_SAM = "AWS::Serverless::"


@dataclass(frozen=True)
class Widening:
    """Set what lies at `path` below Resources (or drop it), and name the check that must object."""

    path: str
    value: Any
    check: Callable[[Stack], None]

    def apply(self, template: Json) -> None:
        *way, last = self.path.split("/")
        node: Any = template if way and way[0] in {"Parameters", "Outputs"} else template["Resources"]
        for step in way:
            node = node[int(step)] if isinstance(node, list) else node[step]
        if isinstance(node, list):
            node[int(last) : int(last) + 1] = [] if self.value is DROP else [self.value]
        elif self.value is DROP:
            del node[last]
        else:
            node[last] = self.value


def _statements(role: str) -> str:
    return f"{role}/Properties/Policies/0/PolicyDocument/Statement"


def _allow(actions: object, resource: object, **more: object) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def _arn(name: str, attribute: str = "Arn") -> Json:
    return {"Fn::GetAtt": [name, attribute]}


def _event(kind: str, **properties: object) -> Json:
    return {"Type": kind, "Properties": {"ApiId": {"Ref": "HttpApi"}, **properties}}


def _role() -> Json:
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}}


_EVERYBODY = {"AWS": "*"}
_ADMINISTRATOR = {"PolicyDocument": {"Statement": [_allow("*", "*")]}}
_NONE = {"Ref": "AWS::NoValue"}
_NETWORK = "CallbackRole/Properties/Policies/1/Fn::If/1"
_ENCRYPT = "CallbackEncrypts/Properties/PolicyDocument/Statement/0"
_DECRYPT = "ConsumerPolicy/Properties/PolicyDocument/Statement/2"
_TOKEN_KEY = "TokenKey/Properties/KeyPolicy/Statement"
_MESSAGING_KEY = "MessagingKey/Properties/KeyPolicy/Statement"
_TOPIC = "TokenIssuedTopicPolicy/Properties/PolicyDocument/Statement"
_QUEUE = "AnnounceDeadLettersPolicy/Properties/PolicyDocument/Statement"
_STREAM = "AnnounceFunction/Properties/Events/TokenStored/Properties"
_TOLD = "AnnounceFunction/Properties/Events/LinkTold/Properties"
_CONTEXT = "Condition/StringEquals/kms:EncryptionContext:purpose"
_KEYS = "Condition/ForAllValues:StringEquals/kms:EncryptionContextKeys/4"

exactly = check_permissions.roles_allow_exactly_what_each_function_does
consumers = check_permissions.consumers_may_read_and_decrypt_and_nothing_else
wildcards = check_permissions.no_identity_policy_has_a_wildcard
nobody_else = check_permissions.nobody_else_gets_a_policy
own_role = check_permissions.each_function_has_a_role_of_its_own_that_only_lambda_assumes
invokes = check_permissions.only_the_api_invokes_and_only_on_its_own_routes
token_key = check_keys.only_callback_encrypts_and_only_the_context_decrypts
messaging_key = check_keys.messaging_key_works_through_messages_and_logs_only
managed = check_keys.the_account_manages_its_keys_and_is_not_locked_out
rotation = check_keys.keys_rotate_and_are_the_only_two
no_service = check_keys.no_service_uses_the_token_key
topic = check_messages.only_announce_publishes_and_only_this_account_subscribes
queue = check_messages.only_announce_sends_to_the_dead_letters
encrypted = check_messages.topic_and_queue_are_encrypted_with_the_messaging_key
lasting = check_messages.the_streams_are_announced_as_long_as_they_live
isolated = check_messages.one_bad_record_holds_up_no_other
filtered = check_messages.removals_do_not_reach_announce
telling = check_messages.of_links_only_what_tells_something_reaches_announce
failures = check_failures.failures_are_announced_as_tokens_are
failed = check_failures.announce_sees_of_attempts_what_has_failed_and_no_more
runs = check_notices.each_run_is_told_when_it_was_scheduled_in_indian_time
calls = check_notices.schedules_may_call_remind_and_nothing_else
lead = check_notices.the_settings_reach_remind
run_alarm = check_notices.a_run_that_fails_raises_an_alarm
letters = check_notices.an_address_gets_reminders_and_no_other_event
keys = check_tables.tables_have_the_fixed_keys
index = check_tables.live_tokens_of_a_broker_can_be_paged_whole
ttl = check_tables.dead_rows_are_removed
at_rest = check_tables.tables_are_encrypted_on_demand_and_not_kept_in_backups
images = check_tables.streams_have_both_images_and_attempts_have_none
protected = check_tables.tokens_are_protected_from_deletion_by_default
no_secret = check_tables.the_template_holds_no_secret
routes = check_api.routes_go_where_the_contract_says
signed = check_api.backend_routes_are_signed_and_the_others_open
cors = check_api.there_is_no_cors
throttled = check_api.every_route_is_throttled
stage = check_api.the_stage_is_the_default_one
access_log = check_api.the_access_log_names_no_path_query_or_header
own_address = check_api.the_apis_own_address_is_served_by_default
alias = check_functions.each_function_is_reached_by_its_live_alias
environment = check_functions.each_function_sees_its_own_settings_and_no_more
size = check_functions.the_longest_settings_fit_into_the_environment
limits = check_functions.functions_have_their_limits
layers = check_functions.functions_import_from_the_two_layers
logs = check_functions.every_log_is_structured_encrypted_and_ends
cycle = check_functions.no_reference_makes_a_cycle
exports = check_outputs.what_stays_the_same_is_exported
unpinned = check_outputs.the_layer_is_an_output_that_no_stack_can_pin
links = check_outputs.where_to_log_in_again_is_told_by_parameters_that_no_stack_can_pin
alarms = check_alarms.what_customers_feel_raises_an_alarm
alike = check_alarms.every_broker_is_watched_alike
minimum = check_alarms.a_share_has_a_minimum_count
silence = check_alarms.silence_is_no_trouble
nobody_told = check_alarms.nobody_is_told_by_default
filters = check_alarms.what_the_filters_count_is_in_this_stacks_logs
told = check_notification.every_alarm_tells_the_operators_topic
joins = check_egress.callback_may_join_its_network_and_its_code_may_not_touch_it
joined = check_egress.callback_alone_joins_and_only_once_the_way_out_is_there
zones = check_egress.each_zone_leaves_by_an_address_of_its_own
inside = check_egress.the_tables_are_reached_inside_and_nothing_else_is
nobody_in = check_egress.nobody_comes_in_and_only_https_goes_out
one_address = check_single_egress.both_zones_leave_by_the_one_address
domain = check_domain.the_domain_leads_to_the_api_over_tls
record = check_domain.the_record_points_at_the_domain
no_way_around = check_domain.the_domain_cannot_be_gone_around
named_domain = check_domain.functions_and_outputs_name_the_domain
shifted = check_traffic.what_customers_reach_is_shifted_and_the_stream_is_not
taken_back = check_traffic.alarms_take_a_deployment_back
shifting = check_traffic.the_shifting_role_moves_these_aliases_and_nothing_else
reserved = check_scale.each_function_that_customers_wait_for_keeps_its_own
snapshots = check_scale.what_customers_wait_for_starts_from_a_snapshot

WIDENINGS = [
    # roles
    Widening(f"{_statements('AuthorizeRole')}/0/Action/2", "dynamodb:DeleteItem", exactly),
    Widening(f"{_statements('AuthorizeRole')}/0/Action", "dynamodb:*", exactly),
    Widening(f"{_statements('AuthorizeRole')}/0/Action", "dynamodb:*", wildcards),
    Widening(f"{_statements('AuthorizeRole')}/0/Resource", "*", wildcards),
    Widening(
        f"{_statements('AuthorizeRole')}/2", _allow("secretsmanager:GetSecretValue", {"Ref": "BrokerSecret"}), exactly
    ),
    Widening(f"{_statements('AuthorizeRole')}/0", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, exactly),
    Widening(f"{_statements('CallbackRole')}/1/Action", ["dynamodb:PutItem", "dynamodb:GetItem"], exactly),
    Widening(f"{_statements('CallbackRole')}/0/Action/2", "dynamodb:Scan", exactly),
    Widening(f"{_statements('CallbackRole')}/2/Resource", "*", exactly),
    Widening(f"{_statements('CallbackRole')}/4", _allow("sns:Publish", {"Ref": "TokenIssuedTopic"}), exactly),
    Widening(f"{_statements('AnnounceRole')}/0/Resource/0/Fn::GetAtt", ["TokensTable", "Arn"], exactly),
    Widening(f"{_statements('AnnounceRole')}/3/Resource", _arn("TokenKey"), exactly),
    Widening(f"{_statements('AnnounceRole')}/3/Condition", DROP, exactly),
    Widening(f"{_statements('AnnounceRole')}/5", _allow("dynamodb:GetItem", _arn("TokensTable")), exactly),
    Widening(f"{_statements('ConnectionsRole')}/0/Action/3", "dynamodb:PutItem", exactly),
    Widening(f"{_statements('RemindRole')}/0/Action", ["dynamodb:Query", "dynamodb:GetItem"], exactly),
    Widening(f"{_statements('ConnectionsRole')}/3", _allow("kms:Decrypt", _arn("TokenKey")), exactly),
    Widening("AuthorizeRole/Properties/ManagedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"], exactly),
    Widening("CallbackEncrypts/Properties/Roles/0/Ref", "AnnounceRole", exactly),
    Widening(f"{_ENCRYPT}/Action", ["kms:Encrypt", "kms:Decrypt"], exactly),
    Widening(f"{_ENCRYPT}/Condition", DROP, exactly),
    Widening(f"{_ENCRYPT}/{_CONTEXT}", DROP, exactly),
    Widening(f"{_ENCRYPT}/{_KEYS}", "platform", exactly),
    Widening(f"{_ENCRYPT}/Condition/Null/kms:EncryptionContext:user_id", DROP, exactly),
    Widening(f"{_DECRYPT}/Condition", DROP, consumers),
    Widening(f"{_DECRYPT}/{_KEYS}", "platform", consumers),
    Widening(
        "ConsumerPolicy/Properties/PolicyDocument/Statement/0/Action",
        ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        consumers,
    ),
    Widening("ConsumerPolicy/Properties/PolicyDocument/Statement/0/Action/1", "dynamodb:PutItem", consumers),
    Widening("LoginUrlParameter/Properties/Value", {"Ref": "BrokerApps"}, links),
    Widening(
        "ConsumerPolicy/Properties/PolicyDocument/Statement/1/Resource/Fn::Sub", "${TokensTable.Arn}/index/*", consumers
    ),
    Widening("ConsumerPolicy/Properties/Roles", [{"Ref": "AnnounceRole"}], consumers),
    Widening("Helper", _role(), exactly),
    Widening("Helper", {"Type": "AWS::IAM::User"}, nobody_else),
    Widening("AnnounceFunction/Properties/Role", _arn("CallbackRole"), own_role),
    Widening("AuthorizeFunction/Properties/Role", DROP, own_role),
    Widening(
        "CallbackRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal",
        {"Service": "ec2.amazonaws.com"},
        own_role,
    ),
    Widening(
        "Anybody",
        {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "CallbackFunction"},
                "Principal": "*",
            },
        },
        invokes,
    ),
    Widening("CallbackFunction/Properties/FunctionUrlConfig", {"AuthType": "NONE"}, invokes),
    # keys
    Widening(f"{_TOKEN_KEY}/0/Action", "kms:*", token_key),
    Widening(f"{_TOKEN_KEY}/0/Action/0", "kms:CreateGrant", token_key),
    Widening(f"{_TOKEN_KEY}/1/Condition/ArnEquals", DROP, token_key),
    Widening(f"{_TOKEN_KEY}/1/{_CONTEXT}", DROP, token_key),
    Widening(f"{_TOKEN_KEY}/2/Condition", DROP, token_key),
    Widening(f"{_TOKEN_KEY}/2/Principal", _EVERYBODY, token_key),
    Widening(f"{_TOKEN_KEY}/3", DROP, token_key),
    Widening(f"{_TOKEN_KEY}/3/Condition/ArnEquals/aws:PrincipalArn/2", DROP, token_key),
    Widening(f"{_TOKEN_KEY}/3/Condition/ArnEquals/aws:PrincipalArn/3", DROP, token_key),
    Widening(f"{_TOKEN_KEY}/3/Condition/ArnEquals/aws:PrincipalArn/4", DROP, token_key),
    Widening(f"{_TOKEN_KEY}/0", DROP, managed),
    Widening(f"{_MESSAGING_KEY}/1/Condition", DROP, messaging_key),
    Widening(f"{_MESSAGING_KEY}/2/Condition/ArnLike", DROP, messaging_key),
    Widening(f"{_MESSAGING_KEY}/2/Condition/StringEquals", DROP, messaging_key),
    Widening(f"{_MESSAGING_KEY}/0/Principal", _EVERYBODY, messaging_key),
    Widening(f"{_MESSAGING_KEY}/0", DROP, managed),
    Widening(f"{_MESSAGING_KEY}/3/Condition", DROP, messaging_key),
    Widening(f"{_MESSAGING_KEY}/3/Action/1", "kms:CreateGrant", messaging_key),
    Widening("TokenKey/Properties/EnableKeyRotation", "false", rotation),
    Widening("TokensTable/Properties/SSESpecification/KMSMasterKeyId", _arn("TokenKey"), no_service),
    # topic, queue, stream
    Widening(f"{_TOPIC}/1", DROP, topic),
    Widening(f"{_TOPIC}/0/Condition", DROP, topic),
    Widening(f"{_TOPIC}/2/Principal", "*", topic),
    Widening(f"{_TOPIC}/3", DROP, topic),
    Widening(f"{_TOPIC}/4", DROP, topic),
    Widening(f"{_TOPIC}/5", DROP, topic),
    Widening(f"{_QUEUE}/0", DROP, queue),
    Widening(f"{_QUEUE}/1/Action", "sqs:SendMessage", queue),
    Widening("TokenIssuedTopic/Properties/KmsMasterKeyId", DROP, encrypted),
    Widening("TokenIssuedTopic/Properties/KmsMasterKeyId", _arn("TokenKey"), no_service),
    Widening("AnnounceDeadLetters/Properties/KmsMasterKeyId", "alias/aws/sqs", encrypted),
    Widening("AnnounceDeadLetters/Properties/MessageRetentionPeriod", 345_600, encrypted),
    Widening(f"{_STREAM}/MaximumRetryAttempts", 10, lasting),
    Widening(f"{_STREAM}/MaximumRecordAgeInSeconds", 3600, lasting),
    Widening(f"{_STREAM}/StartingPosition", "LATEST", lasting),
    Widening(f"{_STREAM}/BisectBatchOnFunctionError", DROP, isolated),
    Widening(f"{_STREAM}/FunctionResponseTypes", DROP, isolated),
    Widening(f"{_STREAM}/DestinationConfig", DROP, isolated),
    Widening(f"{_STREAM}/FilterCriteria/Filters/0/Pattern", "{}", filtered),
    Widening(f"{_TOLD}/MaximumRecordAgeInSeconds", 3600, lasting),
    Widening(f"{_TOLD}/DestinationConfig", DROP, isolated),
    Widening(f"{_TOLD}/FilterCriteria/Filters/0/Pattern", "{}", telling),
    Widening("AnnounceFunctionLoginFailed/Properties/MaximumRetryAttempts", 3, failures),
    Widening("AnnounceFunctionLoginFailed/Properties/FilterCriteria/Filters/0/Pattern", "{}", failed),
    Widening("LoginAttemptsTable/Properties/StreamSpecification/Fn::If/1/StreamViewType", "NEW_AND_OLD_IMAGES", failed),
    # warnings and reminders
    Widening("EndingSchedule/Properties/ScheduleExpressionTimezone", DROP, runs),
    Widening("EndingSchedule/Properties/FlexibleTimeWindow/Mode", "FLEXIBLE", runs),
    Widening("ReminderTimes/Properties/Target/Input", '{"run":"reminder"}', runs),
    Widening("ScheduleRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource", "*", calls),
    Widening("ScheduleRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition", DROP, calls),
    Widening("RemindFunction/Properties/Environment/Variables/BROKERLINK_EXPIRING_MINUTES", "30", lead),
    Widening("NotifySubscription/Properties/FilterPolicy", DROP, letters),
    Widening("NotifySubscription/Properties/Protocol", "https", letters),
    # tables and secret
    Widening("TokensTable/Properties/KeySchema/1/AttributeName", "expires_at", keys),
    Widening("TokensTable/Properties/GlobalSecondaryIndexes/0/Projection/ProjectionType", "KEYS_ONLY", index),
    Widening("LoginAttemptsTable/Properties/TimeToLiveSpecification/AttributeName", "expires_at", ttl),
    Widening("TokensTable/Properties/TimeToLiveSpecification/Enabled", "false", ttl),
    Widening("TokensTable/Properties/SSESpecification/SSEEnabled", "false", at_rest),
    Widening("LoginAttemptsTable/Properties/BillingMode", "PROVISIONED", at_rest),
    Widening("TokensTable/Properties/PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": True}, at_rest),
    Widening("TokensTable/Properties/StreamSpecification/StreamViewType", "NEW_IMAGE", images),
    Widening("LinksTable/Properties/StreamSpecification/StreamViewType", "NEW_IMAGE", images),
    Widening("LoginAttemptsTable/Properties/StreamSpecification", {"StreamViewType": "NEW_IMAGE"}, images),
    Widening("TokensTable/Properties/DeletionProtectionEnabled", "false", protected),
    Widening("BrokerSecret/Properties/SecretString", '{"pocketful":{"client_secret":"x"}}', no_secret),
    Widening("Parameters/PocketfulClientSecret", {"Type": "String"}, no_secret),
    # API
    Widening("CallbackFunction/Properties/Events/Callback/Properties/PayloadFormatVersion", "1.0", routes),
    Widening("CallbackFunction/Properties/Events/Any", _event("HttpApi", Method="DELETE", Path="/result"), routes),
    Widening("CallbackFunction/Properties/Events/CallbackForm", DROP, routes),
    Widening("AuthorizeFunction/Properties/Events/CreateSession/Properties/Auth", DROP, signed),
    Widening("ConnectionsFunction/Properties/Events/EndConnection/Properties/Auth", DROP, signed),
    Widening("CallbackFunction/Properties/Events/Confirm/Properties/Auth", DROP, signed),
    Widening("HttpApi/Properties/CorsConfiguration", {"AllowOrigins": ["*"]}, cors),
    Widening("HttpApi/Properties/DefaultRouteSettings", DROP, throttled),
    Widening("HttpApi/Properties/RouteSettings", {"GET /result": {"ThrottlingRateLimit": 9000}}, throttled),
    Widening("HttpApi/Properties/StageName", "live", stage),
    Widening("HttpApi/Properties/AccessLogSettings/Format", '{"path":"$context.path"}', access_log),
    Widening("HttpApi/Properties/DisableExecuteApiEndpoint", DROP, own_address),
    # functions
    Widening("CallbackFunction/Properties/AutoPublishAlias", "next", alias),
    Widening("AnnounceFunction/Properties/VersionDeletionPolicy", "Delete", alias),
    Widening("AuthorizeFunction/Properties/ReservedConcurrentExecutions", 100, limits),
    Widening(
        "AuthorizeFunction/Properties/Environment/Variables/BROKERLINK_SECRET", {"Ref": "BrokerSecret"}, environment
    ),
    Widening("AnnounceFunction/Properties/Environment/Variables/BROKERLINK_TOKEN_KEY", _arn("TokenKey"), environment),
    Widening(
        "AuthorizeFunction/Properties/Environment/Variables/BROKERLINK_BASE_URL",
        {"Fn::Sub": "https://${HttpApi}"},
        cycle,
    ),
    Widening("CallbackFunction/Properties/Environment/Variables/POWERTOOLS_DEV", "true", environment),
    Widening("Parameters/BrokerApps/MaxLength", 3500, size),
    Widening("CallbackFunction/Properties/Timeout", 31, limits),
    Widening("AnnounceFunction/Properties/MemorySize", 128, limits),
    Widening("AuthorizeFunction/Properties/Layers", ["arn:aws:lambda:ap-south-1:111122223333:layer:theirs:1"], layers),
    Widening("CallbackLogGroup/Properties/RetentionInDays", DROP, logs),
    Widening("CallbackFunction/Properties/LoggingConfig", DROP, logs),
    Widening("AccessLogGroup/Properties/KmsKeyId", DROP, logs),
    # outputs
    Widening("Outputs/BrokerlinkLayerArn/Export", {"Name": "layer"}, exports),
    Widening("Outputs/TokensTableName", DROP, exports),
    Widening("ReaderLayerParameter/Properties/Value", {"Ref": "DependenciesLayer"}, unpinned),
    Widening("Outputs/Secret", {"Value": {"Ref": "BrokerSecret"}}, unpinned),
    # alarms
    Widening("RemindErrorsAlarm", DROP, run_alarm),
    Widening("RemindErrorsAlarm/Properties/Dimensions/0/Value", {"Ref": "AnnounceFunction"}, run_alarm),
    Widening("AnnounceLateAlarm", DROP, alarms),
    Widening("OperatorMustActAlarm", DROP, alarms),
    Widening("CallbackErrorsAlarm/Properties/Dimensions/0/Value", {"Ref": "AuthorizeFunction"}, alarms),
    Widening("PocketfulLoginsFailAlarm/Properties/Metrics/2/MetricStat/Stat", "Sum", alarms),
    Widening("PocketfulOutcomeUnknownAlarm/Properties/Metrics/1/MetricStat/Metric/Namespace", "brokerlink", alarms),
    Widening("FivepaisaAppMisconfiguredAlarm", DROP, alike),
    Widening("FivepaisaLoginsFailAlarm/Properties/Threshold", 10, alike),
    Widening("ServerErrorsAlarm/Properties/Metrics/0/Expression", "100 * failed / requests", minimum),
    Widening("CallbackSlowAlarm/Properties/TreatMissingData", "breaching", silence),
    Widening("CallbackSlowAlarm/Properties/EvaluationPeriods", 12, silence),
    Widening("CallbackSlowAlarm/Properties/AlarmActions", ["arn:aws:sns:ap-south-1:111122223333:x"], nobody_told),
    Widening("CallbackErrorLines", DROP, filters),
    Widening("RequestsRefused/Properties/FilterPattern", "", filters),
    Widening("AnnounceErrorLines/Properties/MetricTransformations/0/MetricNamespace", "brokerlink", filters),
    Widening("CallbackSlowAlarm/Properties/AlarmActions", DROP, told),
    # fixed addresses
    Widening(f"{_NETWORK}/PolicyDocument/Statement/0/Resource", "*", joins),
    Widening(f"{_NETWORK}/PolicyDocument/Statement/1/Action", "ec2:*", joins),
    Widening("CallbackLeavesNetworkAlone", DROP, joins),
    Widening("CallbackLeavesNetworkAlone/Properties/PolicyDocument/Statement/0/Action", "ec2:CreateTags", joins),
    Widening("AnnounceRole/Properties/Policies/1", {"Fn::If": ["HasEgressAddress", _ADMINISTRATOR, _NONE]}, joins),
    Widening("AuthorizeFunction/Properties/VpcConfig", {"SubnetIds": [{"Ref": "EgressPrivateSubnetA"}]}, joined),
    Widening("CallbackFunction/Properties/VpcConfig/Fn::If/1/SubnetIds/0", {"Ref": "EgressPrivateSubnetA"}, joined),
    Widening("EgressPrivateDefaultB/Properties/NatGatewayId", {"Ref": "EgressNatA"}, zones),
    Widening("EgressPrivateDefaultA/Properties/NatGatewayId", {"Ref": "EgressNatB"}, zones),
    Widening("EgressPrivateDefaultB/Properties/NatGatewayId", {"Ref": "EgressNatB"}, one_address),
    Widening("EgressDynamoDb/Properties/PolicyDocument", DROP, inside),
    Widening("EgressDynamoDb/Properties/PolicyDocument/Statement/0/Action", "dynamodb:*", inside),
    Widening("EgressDynamoDb/Properties/PolicyDocument/Statement/0/Condition", DROP, inside),
    Widening("EgressDynamoDb/Properties/RouteTableIds/1", DROP, inside),
    Widening("EgressSecurityGroup/Properties/SecurityGroupEgress", DROP, nobody_in),
    Widening("EgressSecurityGroup/Properties/SecurityGroupEgress/0/ToPort", 65_535, nobody_in),
    Widening("EgressSecurityGroup/Properties/SecurityGroupIngress", [{"IpProtocol": "-1"}], nobody_in),
    Widening("EgressPrivateSubnetA/Properties/MapPublicIpOnLaunch", "true", nobody_in),
    # a domain
    Widening("CustomDomain/Properties/DomainNameConfigurations/0/SecurityPolicy", "TLS_1_0", domain),
    Widening("CustomDomainMapping", DROP, domain),
    Widening("CustomDomainRecord/Properties/AliasTarget/DNSName", "elsewhere.example", record),
    Widening("HttpApi/Properties/DisableExecuteApiEndpoint", DROP, no_way_around),
    Widening("CallbackFunction/Properties/Environment/Variables/BROKERLINK_BASE_URL", "", named_domain),
    Widening("Outputs/CallbackUrl/Value", {"Fn::Sub": "https://${HttpApi}"}, named_domain),
    # gradual deployment
    Widening("CallbackFunction/Properties/DeploymentPreference", DROP, shifted),
    Widening("CallbackFunction/Properties/DeploymentPreference/Alarms/1", DROP, taken_back),
    Widening("AuthorizeFunction/Properties/DeploymentPreference/Alarms", DROP, taken_back),
    Widening("AuthorizeFunction/Properties/DeploymentPreference/Role", DROP, shifting),
    Widening(f"{_statements('TrafficShiftRole')}/0/Resource", "*", shifting),
    Widening(f"{_statements('TrafficShiftRole')}/0/Action", "lambda:*", shifting),
    # scale
    Widening("AuthorizeFunction/Properties/ReservedConcurrentExecutions", DROP, reserved),
    Widening("CallbackFunction/Properties/SnapStart", DROP, snapshots),
]


@pytest.mark.parametrize("widening", WIDENINGS, ids=lambda widening: f"{widening.check.__name__}-{widening.path}")
def test_a_widened_template_is_refused(widening: Widening) -> None:
    with pytest.raises((AssertionError, KeyError, ValueError)):
        widening.check(_widened(widening))


def _widened(widening: Widening) -> Stack:
    parameters = parameters_of(widening.check)
    template = source()
    place = widening.path.split("/")[0]
    if not template["Resources"].get(place, {"Type": _SAM})["Type"].startswith(_SAM):
        # SAM leaves the resource as it is: change it afterwards, which spares a translation.
        whole = copy.deepcopy(stack_of(widening.check).whole)
        widening.apply(whole)
        return Stack(settled(whole, parameters), whole)
    widening.apply(template)
    return translate(template, **parameters)


def test_every_check_is_seen_to_object() -> None:
    assert {check.__name__ for check in CHECKS} == {widening.check.__name__ for widening in WIDENINGS}
