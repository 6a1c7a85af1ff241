"""The template keeps every intent that the check modules state."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache

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
from tests.template.options import Parameters
from tests.template.stack import Stack, source, translate

_MODULES = (
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
CHECKS = [
    check
    for module in _MODULES
    for name, check in inspect.getmembers(module, inspect.isfunction)
    if check.__module__ == module.__name__ and not name.startswith("_")
]


def parameters_of(check: Callable[[Stack], None]) -> Parameters:
    """The option that a check is about: its module's PARAMETERS, else the default."""
    parameters: Parameters = getattr(inspect.getmodule(check), "PARAMETERS", {})
    return parameters


def stack_of(check: Callable[[Stack], None]) -> Stack:
    """The stack that a check is about; not to be changed."""
    return _with(frozenset(parameters_of(check).items()))


@cache
def _with(chosen: frozenset[tuple[str, str]]) -> Stack:
    return translate(source(), **dict(chosen))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_template_keeps(check: Callable[[Stack], None]) -> None:
    check(stack_of(check))
