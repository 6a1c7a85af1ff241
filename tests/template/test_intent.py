"""The template keeps every intent that the check modules state."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from tests.template import (
    check_api,
    check_functions,
    check_keys,
    check_messages,
    check_outputs,
    check_permissions,
    check_tables,
)
from tests.template.stack import Stack

_MODULES = (
    check_api,
    check_functions,
    check_keys,
    check_messages,
    check_outputs,
    check_permissions,
    check_tables,
)
CHECKS = [
    check
    for module in _MODULES
    for name, check in inspect.getmembers(module, inspect.isfunction)
    if check.__module__ == module.__name__ and not name.startswith("_")
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_template_keeps(check: Callable[[Stack], None], stack: Stack) -> None:
    check(stack)
