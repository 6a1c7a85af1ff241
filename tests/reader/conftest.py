"""What the reader's tests share: a table with a token in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.kit.shelf import Shelf


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with mock_aws():
        yield Shelf()
