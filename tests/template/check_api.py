"""The HTTP API: its routes, who may call them, how often, and what its log says."""

from __future__ import annotations

import json
import re

from tests.template.stack import Stack, named

OPEN = {
    "GET /": "AuthorizeFunction",
    "GET /authorize/{broker}": "AuthorizeFunction",
    "GET /callback/{broker}": "CallbackFunction",
    "POST /callback/{broker}": "CallbackFunction",
    "GET /result": "CallbackFunction",
}
SIGNED = {
    "POST /sessions": "AuthorizeFunction",
    "POST /confirm": "CallbackFunction",
    "GET /attempts/{attempt_id}": "CallbackFunction",
    "GET /connections/{user_id}": "ConnectionsFunction",
    "DELETE /connections/{user_id}/{broker}/{account}": "ConnectionsFunction",
}
STAGE = "HttpApiApiGatewayDefaultStage"
# What the access log may say: no path, no query, no header, nothing about the caller beyond the address.
LOGGED = {
    "$context.requestId",
    "$context.requestTimeEpoch",
    "$context.routeKey",
    "$context.status",
    "$context.identity.sourceIp",
    "$context.responseLatency",
    "$context.responseLength",
    "$context.integrationLatency",
    "$context.integrationStatus",
    "$context.integration.requestId",
    "$context.error.message",
    "$context.integrationErrorMessage",
}


def routes_go_where_the_contract_says(stack: Stack) -> None:
    targets = {}
    for route, operation in stack.routes:
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["payloadFormatVersion"] == "2.0", route
        assert integration["type"] == "aws_proxy", route
        found = re.search(r"\$\{(\w+)Aliaslive\}/invocations$", named(integration["uri"]))
        targets[route] = found[1] if found else None
    assert targets == OPEN | SIGNED


def backend_routes_are_signed_and_the_others_open(stack: Stack) -> None:
    security = {route: operation.get("security", []) for route, operation in stack.routes}
    assert security == {route: [{"AWS_IAM": []}] if route in SIGNED else [] for route in OPEN | SIGNED}
    scheme = stack.properties("HttpApi")["Body"]["components"]["securitySchemes"]["AWS_IAM"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"


def there_is_no_cors(stack: Stack) -> None:
    properties = stack.properties("HttpApi")
    assert "CorsConfiguration" not in properties
    assert "x-amazon-apigateway-cors" not in properties["Body"]


def every_route_is_throttled(stack: Stack) -> None:
    stage = stack.properties(STAGE)
    settings = stage["DefaultRouteSettings"]
    for setting, parameter in (("ThrottlingRateLimit", "ThrottleRate"), ("ThrottlingBurstLimit", "ThrottleBurst")):
        assert named(settings[setting]) == parameter
        assert 0 < stack.body["Parameters"][parameter]["Default"] <= stack.body["Parameters"][parameter]["MaxValue"]
    assert "RouteSettings" not in stage


def the_apis_own_address_is_served_by_default(stack: Stack) -> None:
    (server,) = stack.properties("HttpApi")["Body"]["servers"]
    assert server == {"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": False}}


def the_stage_is_the_default_one(stack: Stack) -> None:
    assert stack.of_type("AWS::ApiGatewayV2::Stage").keys() == {STAGE}
    assert stack.properties(STAGE)["StageName"] == "$default"


def the_access_log_names_no_path_query_or_header(stack: Stack) -> None:
    settings = stack.properties(STAGE)["AccessLogSettings"]
    assert named(settings["DestinationArn"]) == "AccessLogGroup.Arn"
    assert set(re.findall(r"\$[\w.]+", settings["Format"])) <= LOGGED
    assert set(json.loads(settings["Format"]).values()) <= LOGGED
