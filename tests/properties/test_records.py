"""Strange stream records: none of them keeps a good one from being announced."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from botocore.exceptions import ClientError
from hypothesis import given
from jsonschema import Draft202012Validator, FormatChecker

from tests.properties.announcing import DeadLetters, Topic, publisher
from tests.properties.effort import effort
from tests.properties.records import SECRET_BYTES, attempt, record, strange_records
from tests.properties.tally import tried

CONTRACT = Path(__file__).parents[2] / "contracts" / "token.issued.v1.schema.json"
SCHEMA = Draft202012Validator(json.loads(CONTRACT.read_text()), format_checker=FormatChecker())
GOOD = [attempt(number) for number in (1, 2, 3)]


class MoodyTopic(Topic):
    """A topic that takes so many messages and then, for now, none."""

    def __init__(self, takes: int) -> None:
        super().__init__()
        self.takes = takes

    def publish(self, **call: Any) -> dict[str, Any]:
        if len(self.calls) >= self.takes:
            raise ClientError({"Error": {"Code": "ThrottledException"}}, "Publish")
        return super().publish(**call)


@given(before=st.lists(strange_records(), max_size=3), after=st.lists(strange_records(), max_size=3))
@effort(60)
def test_good_record_among_strange_ones_is_announced_once(before: list[Any], after: list[Any]) -> None:
    topic, letters, log = Topic(), DeadLetters(), io.StringIO()
    records = [record(1), *before, record(2), *after, record(3)]
    assert publisher(topic, letters, log)(records) == []
    tried("stream records", len(records))
    good = [event for event in topic.events if event["id"] in GOOD]
    assert [event["id"] for event in good] == GOOD
    assert all(SCHEMA.is_valid(event) for event in good)
    # What is told of the others are keys and attempt, never what else they hold.
    assert SECRET_BYTES not in json.dumps([topic.calls, letters.letters]) + log.getvalue()
    assert len(topic.events) + len(letters.letters) <= len(records)


@given(strange=st.lists(strange_records(), max_size=3), takes=st.integers(0, 4))
@effort(50)
def test_what_is_not_announced_comes_again(strange: list[Any], takes: int) -> None:
    records = [record(1), *strange, record(2), record(3)]
    topic, letters = MoodyTopic(takes), DeadLetters()
    again = publisher(topic, letters)(records)
    tried("stream records", len(records))
    published = {event["id"] for event in topic.events}
    for number in (1, 2, 3):
        assert (attempt(number) in published) is (str(10**20 + number) not in again)
