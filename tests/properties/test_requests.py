"""Hostile requests: whatever comes in, an answer goes out, and no login is touched that the request does not prove."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from moto import mock_aws

from tests.properties.effort import effort
from tests.properties.hostile import broken, junk, mutated
from tests.properties.requests import requests
from tests.properties.tally import tried
from tests.properties.target import Target

EVENTS = Path(__file__).parents[2] / "events"
SAMPLES = [sample.read_bytes() for sample in sorted(EVENTS.glob("*.json")) if not sample.name.startswith("announce")]
FUNCTIONS = ("authorize", "callback")


@pytest.fixture(scope="module", params=["pocketful", "fivepaisa"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    with mock_aws():
        yield Target(request.param)


@given(event=requests("authorize"))
@effort(60)
def test_authorize_with_well_formed_events(target: Target, event: Any) -> None:
    target.hit("authorize", event)
    tried("requests to authorize, well-formed events")


@given(event=requests("callback"))
@effort(100)
def test_callback_with_well_formed_events(target: Target, event: Any) -> None:
    target.hit("callback", event)
    tried("requests to callback, well-formed events")


@given(hit=st.one_of([st.tuples(st.just(function), broken(requests(function))) for function in FUNCTIONS]))
@effort(75)
def test_events_with_broken_schema(target: Target, hit: tuple[str, Any]) -> None:
    target.hit(*hit)
    tried("requests, events with a broken schema")


@given(function=st.sampled_from(FUNCTIONS), event=junk)
@effort(30)
def test_events_that_are_none(target: Target, function: str, event: Any) -> None:
    target.hit(function, event)
    tried("requests, events that are none")


@given(function=st.sampled_from(FUNCTIONS), raw=mutated(SAMPLES))
@effort(150)
def test_events_with_mutated_bytes(target: Target, function: str, raw: bytes) -> None:
    try:
        event = json.loads(raw)
    except ValueError:
        # Lambda passes on JSON alone.
        return
    target.hit(function, event)
    tried("requests, sample events with mutated bytes")
