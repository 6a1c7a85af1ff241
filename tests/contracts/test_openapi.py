"""contracts/openapi.yaml: valid, and neither more nor less than what the template routes and the code says."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from brokerlink import connections
from brokerlink.attempts import Standing
from brokerlink.brokers import Brokers
from brokerlink.errors import FAILURES, Code
from brokerlink.web import bodies, cookies, return_to
from brokerlink.web.callbacks import STATE
from tests.kit.contract import CONTRACTS, openapi, operations
from tests.kit.world import APPS
from tests.template.stack import source, translate

PROJECT = CONTRACTS.parent


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = openapi()["components"]["schemas"][name]
    return found


def test_document_is_valid_openapi() -> None:
    validate(openapi(), cls=OpenAPIV31SpecValidator)


def test_version_is_the_projects_and_the_stacks() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert openapi()["info"]["version"] == project["version"] == source()["Outputs"]["Version"]["Value"]
    assert openapi()["info"]["license"]["identifier"] == project["license"]


def test_routes_are_the_templates_and_none_beside() -> None:
    assert operations().keys() == {route for route, _ in translate(source()).routes}


def test_signed_routes_are_the_templates() -> None:
    template = {route: operation.get("security", []) for route, operation in translate(source()).routes}
    assert {route: operation["security"] for route, operation in operations().items()} == {
        route: [{"sigv4": []}] if security == [{"AWS_IAM": []}] else [] for route, security in template.items()
    }


def test_failure_codes_are_the_codes_and_each_is_explained() -> None:
    codes = schema("FailureCode")
    assert codes["enum"] == [str(code) for code in Code]
    assert re.findall(r"^\| `(\w+)` \| \w", codes["description"], re.MULTILINE) == codes["enum"]


def test_codes_for_operators_say_so() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", schema("FailureCode")["description"], re.MULTILINE))
    assert {code for code, text in rows.items() if "an operator has to act" in text} == {
        str(code) for code, failure in FAILURES.items() if failure.operator
    }


def test_every_status_of_a_page_answered_in_place_is_documented_at_the_callback() -> None:
    # What fails after the claim is a 303; what fails before it, and a crash, is answered in place.
    in_place = {Code.INVALID_REQUEST, Code.APP_MISCONFIGURED, Code.BROKER_UNAVAILABLE, Code.BUSY, Code.INTERNAL}
    documented = operations()["GET /callback/{broker}"]["responses"]
    assert {str(FAILURES[code].status) for code in in_place} <= documented.keys()


def test_statuses_are_the_standings() -> None:
    assert schema("Status")["enum"] == [str(standing) for standing in Standing]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("AttemptId", STATE),
        ("Secret", STATE),
        ("BrokerId", connections._BROKER),
        ("UserId", connections._USER_ID),
        ("Account", connections._ACCOUNT),
    ],
)
def test_patterns_are_the_codes(name: str, pattern: re.Pattern[str]) -> None:
    assert schema(name)["pattern"] == f"^{pattern.pattern}$"


def test_owner_is_a_user_or_a_direct_login() -> None:
    user, broker, account = (schema(name)["pattern"].strip("^$") for name in ("UserId", "BrokerId", "Account"))
    assert schema("Owner")["pattern"] == f"^({user}|{broker}:{account})$"


def test_limits_are_the_codes() -> None:
    assert schema("ReturnTo")["maxLength"] == return_to._LONGEST
    limit = f"At most {bodies._LONGEST:,} bytes"
    for route in ("POST /sessions", "POST /confirm"):
        assert operations()[route]["requestBody"]["description"].startswith(limit)
    cookie = openapi()["components"]["headers"]["SetBrowserCookie"]["schema"]["pattern"]
    assert f"Max-Age={cookies.MAX_AGE};" in cookie


def test_cookies_have_the_codes_names() -> None:
    names = {each["name"] for each in openapi()["components"]["parameters"].values() if each["in"] == "cookie"}
    ours = cookies.Cookies(secure=True)
    assert names == {ours.key_name, ours.links_name}


def test_callback_parameters_are_those_that_a_shipped_broker_reads() -> None:
    documented = {each["name"] for each in operations()["GET /callback/{broker}"]["parameters"] if "name" in each}
    assert documented == schema("PostedCallback")["properties"].keys()
    shipped = Brokers(APPS).on.values()
    for name in documented:
        assert any(broker.parameter(name) is not None for broker in shipped), name
    for broker in shipped:
        assert {"state", broker.grant_parameter} <= documented


def test_every_operation_has_a_name_a_caller_and_the_gateways_refusal() -> None:
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(names)
    unsigned = {"$ref": "#/components/responses/NotSigned"}
    for operation in operations().values():
        assert operation["tags"] == ["backend" if operation["security"] else "browser"]
        assert "429" in operation["responses"]
        assert bool(operation["security"]) is (operation["responses"].get("403") == unsigned)
