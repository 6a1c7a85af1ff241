"""The artifact logs customers in: under awslambdaric, against the emulator and the simulators."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.execution import INIT_SECONDS, process_environment
from local.stack import Stack
from tests.artifact.conftest import Watched
from tests.artifact.trees import FUNCTIONS, Tree, read_folder
from tests.integration.walker import Walker, attempt_of
from tools.artifact import Layout

both_brokers = pytest.mark.parametrize("broker", ["pocketful", "fivepaisa"])
# What the source tree and the tests have at hand.
_OURS = ("local", "tests", "bench", "tools", "consumer", "pytest", "moto", "samtranslator", "types_boto3_kms")
_PLACES = f"""
import importlib.util, json, sys
found = {{name: importlib.util.find_spec(name) for name in ("brokerlink", "botocore", "urllib3", *{_OURS})}}
print(json.dumps([sys.path, {{name: spec.origin for name, spec in found.items() if spec is not None}}]))
"""


@both_brokers
def test_a_direct_login_is_stored_and_announced(stack: Stack, walker: Walker, broker: str) -> None:
    reply = walker.log_in(broker)
    assert walker.result(reply)["status"] == "connected"
    (account, *_) = stack.demo_accounts[broker]
    row = walker.token_row(f"{broker}:{account}", f"{broker}#{account}")
    assert row is not None
    assert row["attempt_id"]["S"] == attempt_of(reply)
    event = stack.received.wait_for(lambda each: each["id"] == attempt_of(reply))
    assert event["subject"] == f"{broker}/{account}"


@both_brokers
def test_a_login_that_a_platform_prepared_is_stored_and_announced(stack: Stack, walker: Walker, broker: str) -> None:
    (account, *_) = stack.demo_accounts[broker]
    reply = walker.get(walker.at_broker(walker.open(walker.session(broker=broker, user_id="asha", account=account))))
    event = stack.received.wait_for(lambda each: each["id"] == attempt_of(reply))
    assert event["data"]["user_id"] == "asha"


def test_a_held_login_is_confirmed(stack: Stack, walker: Walker) -> None:
    start = walker.session(broker="pocketful", user_id="ravi", return_to=f"{stack.base_url}/example/return")
    attempt = attempt_of(walker.get(walker.at_broker(walker.open(start))))
    assert walker.backend("POST", "/confirm", {"attempt": attempt, "user_id": "ravi"}).status_code == 200
    assert stack.received.wait_for(lambda each: each["id"] == attempt)["data"]["user_id"] == "ravi"


def test_what_cannot_be_announced_is_put_with_the_dead_letters(stack: Stack) -> None:
    image = {"user_id": {"S": "asha"}, "connection": {"S": "pocketful#YA0002"}, "attempt_id": {"S": "a-row-of-nothing"}}
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "Keys": {}, "NewImage": image}}
    queue = stack.deployment.outputs["AnnounceDeadLettersUrl"]
    stack.clients.sqs.purge_queue(QueueUrl=queue)
    answer = stack.functions["AnnounceFunction"].invoke({"Records": [record]}, patience=60)
    assert answer == {"batchItemFailures": []}
    (message,) = stack.clients.sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["attempt_id"] == "a-row-of-nothing"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_module_came_from_the_artifact_and_was_not_compiled_anew(
    stack: Stack, layout: Layout, walker: Walker, name: str
) -> None:
    """What the interpreters themselves say that ran the logins, and those of the functions that no login passes."""
    walker.log_in("pocketful")
    stack.functions[name].wait_until_ready(INIT_SECONDS)
    stack.functions[name].retire()  # what it has said is in the log then
    log = (stack.log_folder / f"{name.removesuffix('Function').lower()}.jsonl").read_text(encoding="utf-8")
    told = "\n".join(json.loads(line).get("message", "") for line in log.splitlines())
    loaded = [Path(file) for file in re.findall(r"code object from '(.+)'$", told, flags=re.MULTILINE)]
    artifact = {file for file in loaded if file.is_relative_to(layout.opt) or file.is_relative_to(layout.tasks[name])}
    modules = {file.name.partition(".")[0] for file in artifact}
    assert modules >= {name.removesuffix("Function").lower(), "telemetry", "aws"}
    assert all(is_runtime(file, layout) for file in loaded if file not in artifact)
    # A file without quotes is a source that had to be compiled.
    assert not re.findall(r"code object from (?!')(.*)$", told, flags=re.MULTILINE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_modules_are_looked_for_where_lambda_does_and_nowhere_else(
    stack: Stack, watched: Watched, layout: Layout, name: str
) -> None:
    del stack  # it has started the functions
    function = watched.functions[name]
    done = subprocess.run(  # noqa: S603 - the interpreter that ran the function, in its place
        [*function.command[:1], "-c", _PLACES],
        cwd=function.code_dir,
        env=process_environment(function, "unused"),
        capture_output=True,
        text=True,
        check=True,
    )
    (here, *places), found = json.loads(done.stdout)
    # The working directory comes first, where Lambda has /var/task.
    assert (here, function.code_dir) == ("", layout.tasks[name])
    assert places[:2] == [f"{layout.opt}/python/lib/python3.13/site-packages", f"{layout.opt}/python"]
    assert all(is_runtime(Path(place), layout) for place in places[2:])
    assert found.keys() == {"brokerlink", "botocore", "urllib3"}
    assert all(Path(origin).is_relative_to(layout.opt) for origin in found.values())


def test_nothing_was_written_into_the_artifact(unpacked: dict[Path, Tree], walker: Walker) -> None:
    walker.log_in("pocketful")
    assert {place: read_folder(place) for place in unpacked} == unpacked


def is_runtime(path: Path, layout: Layout) -> bool:
    """Say whether a path lies in the Python that stands for Lambda's: its standard library, or the runtime client."""
    return path.is_relative_to(sys.base_prefix) or path.is_relative_to(layout.python.parents[1])
