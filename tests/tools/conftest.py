"""What the tests of the tools share."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def python() -> str:
    """The interpreter that runs these tests."""
    return sys.executable
