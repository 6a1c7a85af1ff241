"""`make reannounce` on the local stack: the same events, with their own ids."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.aws import worker_environment
from local.stack import Stack
from tests.integration.walker import Walker, attempt_of
from tools.command import Failure
from tools.reannounce import parse_since

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture
def watched(stack: Stack) -> str:
    """A queue of our own at the topic, by its URL: the consumer de-duplicates, so it cannot tell."""
    name = f"watch-{time.monotonic_ns()}"
    arn = f"arn:aws:sqs:ap-south-1:{stack.emulator.account}:{name}"
    queue = stack.clients.sqs.create_queue(QueueName=name)["QueueUrl"]
    topic = stack.deployment.outputs["TokenIssuedTopicArn"]
    stack.clients.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return queue


def messages(stack: Stack, queue: str) -> list[str]:
    found = stack.clients.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in found]


def run(stack: Stack, since: str, stage: str = "default") -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does, against the stack's emulator."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tools.reannounce", "--since", since, "--stage", stage],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **worker_environment(stack.aws_url)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_live_tokens_are_announced_again_with_their_own_ids(stack: Stack, walker: Walker, watched: str) -> None:
    since = int(time.time())
    attempt = attempt_of(walker.log_in("pocketful"))
    stack.received.wait_for(lambda event: event["id"] == attempt)
    done = run(stack, str(since))
    assert done.returncode == 0, done.stderr
    # A login of an earlier test in the same second is announced again too.
    assert re.search(r"announced again: [1-9] live token", done.stdout)
    first, again = [message for message in messages(stack, watched) if f'"id":"{attempt}"' in message]
    assert first == again


def test_nothing_is_announced_of_what_is_older_than_since(stack: Stack, walker: Walker, watched: str) -> None:
    attempt = attempt_of(walker.log_in("fivepaisa"))
    stack.received.wait_for(lambda event: event["id"] == attempt)
    assert len(messages(stack, watched)) == 1
    done = run(stack, str(int(time.time()) + 5))
    assert done.returncode == 0, done.stderr
    assert "announced again: 0 live" in done.stdout
    assert not messages(stack, watched)


def test_stack_that_is_none_is_said_in_a_sentence(stack: Stack) -> None:
    done = run(stack, "0", stage="trial")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("reannounce: ")


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("1795404600", 1_795_404_600),
        ("2026-11-23T09:00", 1_795_404_600),
        ("2026-11-23T03:30:00+00:00", 1_795_404_600),
    ],
)
def test_since_is_ist_unless_it_names_an_offset(text: str, second: int) -> None:
    assert parse_since(text) == second


def test_since_that_is_no_time_says_what_it_has_to_be() -> None:
    with pytest.raises(Failure, match="SINCE has to be"):
        parse_since("yesterday")
