import json
from pathlib import Path

import pytest

from local.logs import Logs


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def logs(tmp_path: Path, shown: list[str]) -> Logs:
    return Logs(tmp_path / "logs", shown.append)


def _written(tmp_path: Path, name: str) -> list[object]:
    text = (tmp_path / "logs" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ('{"level": "INFO", "message": "started"}', {"level": "INFO", "message": "started"}),
        ("plain ₹", {"message": "plain ₹"}),
        ("[1]", {"message": "[1]"}),
        ('"text"', {"message": '"text"'}),
        ("[" * 100_000, {"message": "[" * 100_000}),
        ("", {"message": ""}),
    ],
)
def test_every_line_is_kept_as_json(tmp_path: Path, logs: Logs, line: str, entry: object) -> None:
    logs.writer("callback")(line)
    assert _written(tmp_path, "callback") == [entry]


def test_errors_are_shown_in_short_and_the_rest_is_not(logs: Logs, shown: list[str]) -> None:
    write = logs.writer("callback")
    for line in (
        '{"level": "INFO", "message": "started"}',
        '{"level": "ERROR", "message": "BrokerApps is not JSON", "location": "x"}',
        '{"_aws": {}}',
        "plain",
        "[ERROR] ValueError: x",
        "  File ...",
        "1b9 Task timed out after 28.00 seconds",
    ):
        write(line)
    assert shown == [
        "callback  ERROR: BrokerApps is not JSON",
        "callback  [ERROR] ValueError: x",
        "callback  1b9 Task timed out after 28.00 seconds",
    ]


def test_what_a_writer_prints_for_people_is_shown(logs: Logs, shown: list[str]) -> None:
    write = logs.writer("consumer", prints=True)
    write("pocketful YA0002: logged in")
    write('{"level": "WARNING", "message": "x"}')
    assert shown == ["consumer  pocketful YA0002: logged in"]


def test_a_run_begins_with_empty_files(tmp_path: Path, shown: list[str]) -> None:
    Logs(tmp_path / "logs", shown.append).writer("callback")("earlier")
    Logs(tmp_path / "logs", shown.append).writer("callback")
    assert _written(tmp_path, "callback") == []
