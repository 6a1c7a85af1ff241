"""The loggers of the libraries that put requests and answers on the wire."""

import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brokerlink.logs import WIRE_LOGGERS, silence_wire_loggers

CHILDREN = ("boto3.resources", "botocore.parsers", "http.client.x", "urllib3.connectionpool")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What a root logger writes that is set to write everything."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setLevel(0)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("name", [*WIRE_LOGGERS, *CHILDREN])
@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING, logging.CRITICAL])
def test_no_level_of_the_root_turns_them_on(name: str, level: int, stream: io.StringIO) -> None:
    silence_wire_loggers()
    logging.getLogger(name).log(level, "POST /token?code=%s", "secret")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("name", [*WIRE_LOGGERS, *CHILDREN])
def test_stderr_is_not_the_last_resort(name: str) -> None:
    """In a process of its own: pytest gives loggers that do not propagate a handler, which hides the last resort."""
    code = (
        "import logging; from brokerlink.logs import silence_wire_loggers; silence_wire_loggers();"
        f"logging.getLogger({name!r}).critical('secret')"
    )
    run = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "layers")},
        capture_output=True,
        check=True,
    )
    assert run.stdout + run.stderr == b""


def test_child_that_is_turned_on_by_itself_is_not_heard(stream: io.StringIO) -> None:
    silence_wire_loggers()
    child = logging.getLogger("botocore.endpoint")
    level = child.level
    try:
        child.setLevel(logging.DEBUG)
        child.debug("secret")
    finally:
        child.setLevel(level)
    assert stream.getvalue() == ""


def test_other_loggers_are_left_alone(stream: io.StringIO) -> None:
    silence_wire_loggers()
    logging.getLogger("brokerlink.test").debug("heard")
    assert stream.getvalue() == "heard\n"


def test_repeating_it_adds_nothing() -> None:
    silence_wire_loggers()
    before = {name: list(logging.getLogger(name).handlers) for name in WIRE_LOGGERS}
    silence_wire_loggers()
    assert {name: logging.getLogger(name).handlers for name in WIRE_LOGGERS} == before
