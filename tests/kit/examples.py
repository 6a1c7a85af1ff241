"""The examples' modules, as Lambda would load them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import boto3
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def example(file: str, variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Load a file of the examples anew, with the environment that a deployment would give it."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    boto3.setup_default_session()
    path = EXAMPLES / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    boto3.DEFAULT_SESSION = None
