"""Reserved concurrency and snapshots, for the two functions that customers wait for."""

from __future__ import annotations

from tests.template.options import RESERVED, SNAPSTART
from tests.template.stack import Stack, named

PARAMETERS = {**RESERVED, **SNAPSTART}


def each_function_that_customers_wait_for_keeps_its_own(stack: Stack) -> None:
    kept = {
        name: named(function["ReservedConcurrentExecutions"])
        for name, function in stack.of_type("AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in function
    }
    assert kept == {"AuthorizeFunction": "AuthorizeConcurrency", "CallbackFunction": "CallbackConcurrency"}


def what_customers_wait_for_starts_from_a_snapshot(stack: Stack) -> None:
    started = {
        name: function["SnapStart"]
        for name, function in stack.of_type("AWS::Lambda::Function").items()
        if "SnapStart" in function
    }
    assert started == {name: {"ApplyOn": "PublishedVersions"} for name in ("AuthorizeFunction", "CallbackFunction")}
    # Lambda makes no snapshot for these.
    assert not {"ProvisionedConcurrencyConfig"} & {
        key for alias in stack.of_type("AWS::Lambda::Alias").values() for key in alias
    }
