"""The stack as it is, translated once."""

from __future__ import annotations

import pytest

from tests.template.stack import Stack, source, translate


@pytest.fixture(scope="session")
def stack() -> Stack:
    return translate(source())
