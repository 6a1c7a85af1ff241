"""docs/http-api.md and docs/events.md say what the contracts say, and their commands work as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from brokerlink.errors import Code
from local.aws import ACCESS_KEY, REGION, SECRET_KEY
from local.stack import Stack
from tests.kit.contract import CONTRACTS, openapi, operations
from tests.kit.documents import block, sections, table

PAGE = "docs/http-api.md"
# These stand once, for all routes.
COMMON = {"429", "431", "500", "503"}
ROUTES = [route for route in sections(PAGE) if "/" in route.partition(" ")[2]]


def inputs(route: str) -> dict[str, bool]:
    """Give what a caller sends by name, and whether it is required; what browsers send by themselves is left out."""
    operation = operations()[route]
    parameters = [each for each in operation.get("parameters", []) if "name" in each]
    found = {each["name"]: each["in"] == "query" and each.get("required", False) for each in parameters}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = openapi()["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        found |= {name: name in schema.get("required", []) for name in schema["properties"]}
    return found


def answer_fields(value: Any) -> set[str]:
    """Give the names of the JSON in an answer."""
    if "$ref" in value:
        return answer_fields(openapi()["components"]["schemas"][value["$ref"].rpartition("/")[2]])
    return set(value.get("properties", {})).union(*map(answer_fields, value.get("anyOf", [])))


def test_page_has_each_route_and_none_beside() -> None:
    assert set(ROUTES) == operations().keys()


@pytest.mark.parametrize("route", ROUTES)
def test_parameters_are_the_contracts(route: str) -> None:
    written = table(sections(PAGE)[route], "parameter")
    assert set(written) == inputs(route).keys()
    assert {name for name, text in written.items() if re.search(r"; required \|?$|; required$", text)} == {
        name for name, required in inputs(route).items() if required
    }


@pytest.mark.parametrize("route", ROUTES)
def test_statuses_are_the_contracts(route: str) -> None:
    assert set(table(sections(PAGE)[route], "status")) == operations()[route]["responses"].keys() - COMMON


@pytest.mark.parametrize("route", ROUTES)
def test_fields_of_answers_are_named(route: str) -> None:
    named = set(re.findall(r"`(\w+)`", sections(PAGE)[route]))
    for status, response in operations()[route]["responses"].items():
        if status in {"200", "201"} and "application/json" in response.get("content", {}):
            assert answer_fields(response["content"]["application/json"]["schema"]) <= named


def test_what_every_route_can_answer_is_the_contracts() -> None:
    assert set(table(sections(PAGE)["Rules for all routes"], "status")) == COMMON
    assert all(operation["responses"].keys() >= COMMON for operation in operations().values())


def test_failure_codes_are_the_codes() -> None:
    assert list(table(sections(PAGE)["Failure codes"], "code")) == [str(code) for code in Code]


def test_example_of_the_event_is_asyncapis() -> None:
    document = yaml.safe_load((CONTRACTS / "asyncapi.yaml").read_text())
    (example,) = document["components"]["messages"]["tokenIssued"]["examples"]
    assert json.loads(block("docs/events.md", "event")) == example["payload"]


def test_fields_of_the_event_are_explained() -> None:
    event = json.loads(block("docs/events.md", "event"))
    data = {f"data.{name}" for name in event.pop("data")}
    same_in_each = {"specversion", "datacontenttype", "dataschema"}
    explained = set(table(sections("docs/events.md")["The message"], "field"))
    assert explained == (event.keys() - same_in_each) | data


def test_command_prepares_a_login(stack: Stack) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    command = block(PAGE, "session").replace("http://127.0.0.1:8000", stack.base_url)
    run = subprocess.run(  # noqa: S603 - our own document
        [shell, "-c", command], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(run.stdout)["start_url"].startswith(f"{stack.base_url}/authorize/pocketful?session=")


def test_program_prepares_a_login(stack: Stack, tmp_path: Path) -> None:
    program = tmp_path / "prepare_login.py"
    program.write_text(f"API = {stack.base_url!r}\n{block(PAGE, 'signed')}\nprint(start_url)\n")
    run = subprocess.run(  # noqa: S603 - our own document
        [sys.executable, "-W", "error", str(program)],
        env={"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": REGION},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"{stack.base_url}/authorize/pocketful?session=")
