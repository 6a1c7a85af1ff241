"""The Runtime API before AWS's own runtime client, which the deployed functions run under."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from local.runtime import FunctionError, FunctionPool

awslambdaric = pytest.importorskip("awslambdaric", reason="awslambdaric is not installed (Linux only)")

SOURCE = """
    import os
    def handler(event, context):
        if event.get("fail"):
            raise KeyError("a")
        if event.get("crash"):
            os._exit(3)
        return {"event": event, "id": context.aws_request_id, "left": context.get_remaining_time_in_millis()}
"""


@pytest.fixture
def pool(start: Callable[..., tuple[FunctionPool, list[str]]]) -> FunctionPool:
    pool, _ = start(
        SOURCE,
        command=(sys.executable, "-m", "awslambdaric", "app.handler"),
        environment={"PYTHONPATH": str(Path(awslambdaric.__file__).parents[1])},
        timeout=7.0,
    )
    return pool


def test_events_and_context(pool: FunctionPool) -> None:
    pool.wait_until_ready(20)
    for number in range(3):
        answer = pool.invoke({"n": number, "text": "λ" * 10_000}, patience=20)
        assert isinstance(answer, dict)
        assert answer["event"] == {"n": number, "text": "λ" * 10_000}
        assert 5000 < answer["left"] <= 7000
        assert len(answer["id"]) == 36


@pytest.mark.parametrize(
    ("event", "error_type"), [({"fail": True}, "KeyError"), ({"crash": True}, "Runtime.ExitError")]
)
def test_errors_and_the_next_event(pool: FunctionPool, event: dict[str, object], error_type: str) -> None:
    with pytest.raises(FunctionError) as raised:
        pool.invoke(event, patience=20)
    assert raised.value.error_type == error_type
    assert pool.invoke({}, patience=20)


def test_an_import_error_is_an_init_error(start: Callable[..., tuple[FunctionPool, list[str]]]) -> None:
    pool, _ = start(
        "import no_such_module",
        command=(sys.executable, "-m", "awslambdaric", "app.handler"),
        environment={"PYTHONPATH": str(Path(awslambdaric.__file__).parents[1])},
    )
    with pytest.raises(FunctionError, match=r"Runtime\.ImportModuleError.*no_such_module"):
        pool.wait_until_ready(20)
