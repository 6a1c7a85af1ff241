"""What was cut out of the packages is what nobody needs: an upgrade that moves something is noticed here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session

from dependencies.prune import OPERATIONS, pruned_model, without_documentation
from local.stack import Stack
from tests.artifact.calls import Calls
from tests.artifact.conftest import Watched, run
from tests.artifact.trees import FUNCTIONS, ROOT
from tests.integration.walker import Walker
from tools.artifact import Layout

_REGIONS = ("ap-south-1", "us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1")
# Where each client of ours goes, and what it signs for.
_ENDPOINTS = f"""
import json, os
os.environ.pop("AWS_ENDPOINT_URL", None)
from botocore.config import Config
from botocore.session import Session
session = Session()
session.set_credentials("nobody's", "nothing")
print(json.dumps([
    [made.meta.endpoint_url, made._request_signer.signing_name, made._request_signer.region_name]
    for service in {sorted(OPERATIONS)}
    for region in {_REGIONS}
    for fips in (False, True)
    for dual in (False, True)
    for made in [session.create_client(
        service, region_name=region, config=Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual)
    )]
]))
"""
# What a function's start compiles: regular expressions, and the methods of dataclasses.
_COMPILED = """
import dataclasses, json, os, re._compiler, sys
for name in ("NO_PROXY", "no_proxy"):  # the local stack's, not Lambda's
    os.environ.pop(name)
compiled, compile_pattern = [], re._compiler.compile
def note(pattern, flags):
    compiled.append(str(pattern))
    return compile_pattern(pattern, flags)
def audit(event, arguments):
    if event == "compile" and b"__create_fn__" in (arguments[0] or b""):
        compiled.append(str(arguments[0]))
re._compiler.compile = note
sys.addaudithook(audit)
import HANDLER
print(json.dumps(compiled))
"""
# From where a function's start loads the packages' modules.
_FOUND = """
import HANDLER, json, sys
print(json.dumps({
    name: type(module.__spec__.loader).__name__
    for name, module in sys.modules.items()
    if "/opt/python/" in (getattr(module, "__file__", None) or "") and not name.startswith("brokerlink")
}))
"""
_LOADED = """
import HANDLER, gc, json, sys
print(json.dumps([sorted(sys.modules), gc.isenabled(), gc.get_freeze_count()]))
"""


def models(layout: Layout) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each service's model in the layer."""
    for file in layout.opt.glob("python/botocore/data/*/*/service-2.json"):
        yield file.parts[-3], json.loads(file.read_text(encoding="utf-8"))


def test_the_layer_has_our_operations_and_no_others(layout: Layout) -> None:
    assert {service: tuple(sorted(model["operations"])) for service, model in models(layout)} == OPERATIONS


def test_the_models_are_botocores_own_as_far_as_they_go(layout: Layout) -> None:
    loader = Session().get_component("data_loader")
    for service, model in models(layout):
        whole = without_documentation(loader.load_service_model(service, "service-2"))
        assert model["metadata"] == whole["metadata"]
        assert all(whole["operations"][name] == operation for name, operation in model["operations"].items())
        assert all(whole["shapes"][name] == shape for name, shape in model["shapes"].items())


def test_a_model_without_a_shape_that_it_needs_cannot_be_made() -> None:
    model = {"operations": {"Get": {"input": {"shape": "Absent"}}}, "shapes": {}}
    with pytest.raises(KeyError):
        pruned_model(model, ("Get",))
    with pytest.raises(KeyError):
        pruned_model(model, ("Put",))


def test_texts_are_dropped_and_members_of_that_name_are_kept() -> None:
    model = {"documentation": "text", "members": {"documentation": {"shape": "Text", "documentation": "text"}}}
    assert without_documentation([model]) == [{"members": {"documentation": {"shape": "Text"}}}]


def test_every_operation_in_the_code_is_in_the_layer() -> None:
    files = [*ROOT.glob("layers/brokerlink/**/*.py"), *ROOT.glob("functions/**/*.py")]
    # Consumers run the reader, with the SDK of their own runtime.
    code = "".join(file.read_text(encoding="utf-8") for file in files if file.name != "reader.py")
    called = set(re.findall(r"\b(?:client|dynamodb|kms|sns|sqs)\.([a-z_]+)\(", code))
    session = Session()
    known = {
        xform_name(operation)
        for service in OPERATIONS
        for operation in session.get_service_model(service).operation_names
    }
    assert called & known == {xform_name(name) for operations in OPERATIONS.values() for name in operations}


def test_every_operation_in_the_layer_is_called(stack: Stack, walker: Walker, calls: Calls) -> None:
    """By the logins of these tests, with the artifact."""
    calls.by_caller.clear()
    reply = walker.log_in("pocketful")
    walker.result(reply)
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "Keys": {}, "NewImage": {}}}
    stack.functions["AnnounceFunction"].invoke({"Records": [record]}, patience=60)
    stack.received.wait_for(lambda each: each["id"] in str(reply.headers["location"]))
    assert walker.backend("GET", "/connections/pocketful:YA0002").json()["connections"]
    stack.functions["RemindFunction"].invoke({"run": "reminder", "time": "2026-11-24T03:00:00Z"}, patience=60)
    called = {name for function in FUNCTIONS for name in calls.by_caller[function]}
    # A process that was warm already has the secret.
    kept = {name for operations in OPERATIONS.values() for name in operations}
    assert called | {"GetSecretValue"} == kept


def test_clients_go_where_unpruned_ones_go(stack: Stack, watched: Watched) -> None:
    pruned = run(watched, stack, "CallbackFunction", _ENDPOINTS)
    whole = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", _ENDPOINTS], capture_output=True, text=True, check=True
    )
    assert pruned == json.loads(whole.stdout)
    assert len({endpoint for endpoint, *_ in pruned}) > 50


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_compiled_at_start(stack: Stack, watched: Watched, name: str) -> None:
    assert run(watched, stack, name, _COMPILED) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_packages_are_loaded_from_one_file(stack: Stack, watched: Watched, name: str) -> None:
    found = run(watched, stack, name, _FOUND)
    assert set(found.values()) == {"Modules"}
    assert {"botocore.session", "urllib3", "aws_lambda_powertools"} <= found.keys()


def test_what_is_compiled_would_be_noted(stack: Stack, watched: Watched) -> None:
    """Where the interpreter changes what it asks whom for, nothing is noted and nothing is taken from the build's."""
    code = "from brokerlink import precompiled; precompiled._read = lambda _: ({}, {}, {});"
    noted = run(watched, stack, "CallbackFunction", _COMPILED.replace("import HANDLER", f"{code} import HANDLER"))
    assert any("__create_fn__" in each for each in noted)
    assert len(noted) > 100


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_slow_and_not_needed_is_not_loaded(stack: Stack, watched: Watched, name: str) -> None:
    loaded, collects, frozen = run(watched, stack, name, _LOADED)
    assert set(loaded).isdisjoint(
        {"aws_xray_sdk", "boto3", "certifi", "html.parser", "http.cookiejar", "importlib.metadata", "requests"}
    )
    assert {each for each in loaded if each.startswith("botocore.docs")} == {
        "botocore.docs",
        "botocore.docs.docstring",
        "botocore.docs.utils",
    }
    assert collects
    assert frozen > 10_000
