"""A domain of one's own: the only address that is left, if the API's own is switched off."""

from __future__ import annotations

from tests.template.options import OWN_ADDRESS_ONLY, RECORD
from tests.template.stack import Stack, named

PARAMETERS = {**RECORD, **OWN_ADDRESS_ONLY}


def the_domain_leads_to_the_api_over_tls(stack: Stack) -> None:
    (domain,) = stack.of_type("AWS::ApiGatewayV2::DomainName").values()
    assert named(domain["DomainName"]) == "DomainName"
    (configuration,) = domain["DomainNameConfigurations"]
    assert named(configuration["CertificateArn"]) == "CertificateArn"
    assert (configuration["EndpointType"], configuration["SecurityPolicy"]) == ("REGIONAL", "TLS_1_2")
    (mapping,) = stack.of_type("AWS::ApiGatewayV2::ApiMapping").values()
    assert {key: named(value) for key, value in mapping.items()} == {
        "ApiId": "HttpApi",
        "DomainName": "CustomDomain",
        "Stage": "HttpApiApiGatewayDefaultStage",
    }


def the_record_points_at_the_domain(stack: Stack) -> None:
    (record,) = stack.of_type("AWS::Route53::RecordSet").values()
    assert (named(record["HostedZoneId"]), named(record["Name"]), record["Type"]) == ("HostedZoneId", "DomainName", "A")
    assert named(record["AliasTarget"]["DNSName"]) == "CustomDomain.RegionalDomainName"
    assert named(record["AliasTarget"]["HostedZoneId"]) == "CustomDomain.RegionalHostedZoneId"


def the_domain_cannot_be_gone_around(stack: Stack) -> None:
    (server,) = stack.properties("HttpApi")["Body"]["servers"]
    assert server == {"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True}}
    assert not [name for name, output in stack.body["Outputs"].items() if "execute-api" in str(output["Value"])]


def functions_and_outputs_name_the_domain(stack: Stack) -> None:
    for name in ("AuthorizeFunction", "CallbackFunction"):
        base = stack.properties(name)["Environment"]["Variables"]["BROKERLINK_BASE_URL"]
        assert named(base) == "https://${DomainName}", name
    outputs = {name: named(output["Value"]) for name, output in stack.body["Outputs"].items()}
    assert outputs["StartUrl"] == "https://${DomainName}/"
    assert outputs["CallbackUrl"] == "https://${DomainName}/callback/{broker}"
    assert outputs["ApiUrl"] == "https://${DomainName}"
    assert outputs["DomainTarget"] == "CustomDomain.RegionalDomainName"
